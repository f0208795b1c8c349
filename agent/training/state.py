"""Training stopped anywhere and continued as if it had not been.

Everything random in training is a function of (seed, step), so the state is the step number, the
model's tensors and the optimisers'.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
from safetensors import SafetensorError

from agent.errors import DamagedDataError, UserError
from agent.files.bundle import read_bundle, write_bundle
from agent.model.world_model import WorldModel
from agent.settings import leaves, to_dict
from agent.training.optimiser import WorldModelOptimiser
from agent.training.reports import Losses
from agent.training.settings import TrainingConfig

_log = logging.getLogger(__name__)
FACTS = "state.json"
# Of the data's header: a data set may grow, and what a run learns from stays the same.
_FREE, _DRAWN = ("data.episodes", "ranks", "held_shards", "training.memory_gb"), "data.drawn_with."
_SCHEMA = "lejepa-agent/training-state/1"


def save_training_state(
    directory: Path,
    step: int,
    seconds: float,
    model: WorldModel,
    optimiser: WorldModelOptimiser,
    identity: Mapping[str, Any],
    unreported: Sequence[Losses] = (),
) -> None:
    """Write the state after ``step`` steps; ``identity`` is what a resumed run must share.

    ``unreported`` are the losses of the steps since the last report.
    """
    tensors = {f"model.{name}": value for name, value in model.state_dict().items()}
    tensors |= {f"optimiser.{name}": value for name, value in optimiser.tensors().items()}
    whole = {name: value.contiguous() for name, value in tensors.items()}
    facts = {"schema": _SCHEMA, "step": step, "seconds": seconds, "identity": dict(identity)}
    facts["unreported"] = [list(losses) for losses in unreported]
    write_bundle(
        directory,
        {
            FACTS: json.dumps(facts, indent=2).encode(),
            "state.safetensors": safetensors.torch.save(whole),
        },
    )


@dataclass(frozen=True)
class Begun:
    """How many ``episodes`` a run learns from, how many shards it holds at a time (None: all), and
    the ``threads`` that each of its ``ranks`` computes with.
    """

    episodes: int
    held: int | None
    threads: int
    ranks: int


def begun_with(directory: Path) -> Begun:
    """What the run in ``directory`` was begun with.

    Raises:
        UserError, DamagedDataError: as of :func:`load_training_state`.
    """
    facts = read_bundle(directory, only=[FACTS]).get(FACTS, b"")
    try:
        identity = json.loads(facts)["identity"]
        threads = int(identity["training"]["threads"])
        episodes, ranks = int(identity["committed_episodes"]), int(identity.get("ranks", 1))
        return Begun(episodes, identity.get("held_shards"), threads, ranks)
    except (KeyError, ValueError, TypeError) as error:
        raise DamagedDataError(f"{directory}: not a training state ({error!r})") from error


def load_training_state(
    directory: Path,
    model: WorldModel,
    optimiser: WorldModelOptimiser,
    identity: Mapping[str, Any],
) -> tuple[int, float, list[Losses]]:
    """Restore in place; returns steps done, seconds spent, and losses that no report has told.

    Raises:
        UserError: if there is no state, or it belongs to other settings or other data.
        DamagedDataError: if it is not what its manifest says.
    """
    files = read_bundle(directory)
    try:
        facts = json.loads(files[FACTS])
        tensors = safetensors.torch.load(files["state.safetensors"])
        step, seconds, found = int(facts["step"]), float(facts["seconds"]), facts["identity"]
        unreported = [tuple(map(float, losses)) for losses in facts.get("unreported", ())]
    except (KeyError, ValueError, TypeError, SafetensorError) as error:
        raise DamagedDataError(f"{directory}: not a training state ({error})") from error
    _require_same(directory, found, identity)
    if found.get("held_shards") != identity.get("held_shards"):
        _log.warning(
            "this run was begun with other parts of its data in memory (%s shards at a time, now "
            "%s; none: all): it goes on, but to other weights than uninterrupted. --memory decides",
            found.get("held_shards"), identity.get("held_shards"),
        )  # fmt: skip
    try:
        model.load_state_dict(_under("model.", tensors))
        optimiser.restore(_under("optimiser.", tensors))
    except (KeyError, RuntimeError) as error:
        raise DamagedDataError(f"{directory}: does not fit its settings ({error})") from error
    return step, seconds, unreported


def _begun(sha256: str | None) -> str:
    return f"from a checkpoint of hash {sha256[:10]}" if sha256 else "without --from"


def _under(prefix: str, tensors: Mapping[str, Any]) -> dict[str, Any]:
    return {key.removeprefix(prefix): v for key, v in tensors.items() if key.startswith(prefix)}


def _require_same(directory: Path, found: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    # A state older than a setting was trained as the setting's default has it.
    was = dict(leaves({"training": to_dict(TrainingConfig())})) | dict(leaves(found))
    now = dict(leaves(json.loads(json.dumps(dict(wanted)))))
    was.setdefault("committed_sha256", now.get("committed_sha256"))
    # Another number of ranks shares the machine's cores in another way.
    free = (*_FREE, "training.threads") if was.get("ranks", 1) != now.get("ranks", 1) else _FREE
    for key in sorted(was.keys() | now.keys()):
        if key in free or key.startswith(_DRAWN):
            continue
        if was.get(key) != now.get(key):
            if key == "begin":
                raise UserError(
                    f"{directory} was begun {_begun(was.get(key))}, this run {_begun(now.get(key))}"
                    ": resume with the same --from, or train into a new directory"
                )
            if key in ("committed_sha256", "committed_episodes"):
                raise UserError(
                    f"{directory} was learned from other recordings than --data names: resume with "
                    "those, or train into a new directory (to go on with more: train --from)"
                )
            raise UserError(
                f"{directory} was written with {key}={was.get(key)!r}, this run has "
                f"{now.get(key)!r}; resume with the same settings and data, or train into a new "
                "directory"
            )
