"""Where checkpoints are looked for: what the user names, or the folder of the run that made it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.errors import DamagedDataError, UserError

if TYPE_CHECKING:
    from agent.evaluation.provenance import Origin

SHIPPED = Path("checkpoints/reacher")
_REPOSITORY = Path(__file__).parents[2]


def find_checkpoint(directory: Path) -> Path:
    """``directory`` or the checkpoint inside it; UserError naming what makes one if none is.

    The one that comes with the program is found from any working directory.
    """
    from agent.model.bundle import CHECKPOINT, has_bundle

    if directory == SHIPPED and not directory.exists():
        directory = _REPOSITORY / SHIPPED
    for place in (directory, directory / CHECKPOINT):
        if has_bundle(place):
            return place
    if directory.exists() and any(directory.glob("*.safetensors")):
        return directory  # lacks its manifest: reading it says so
    raise UserError(
        f"expected a checkpoint in {directory}, got none: name another with --checkpoint, or make "
        "one with `train` (or `baseline`, for sac)"
    )


def finished_checkpoint(directory: Path, env_steps: int | None = None) -> Path:
    """As :func:`find_checkpoint`, where its training has come to its end.

    Reinforcement learning and cloning write checkpoints on the way, and a world model is there
    before its action head is taught. ``env_steps`` are those that were asked for, if known.

    Raises:
        UserError: if there is none, or it is one on the way.
        DamagedDataError: if the checkpoint is not what its manifest says.
    """
    checkpoint = find_checkpoint(directory)
    config = _config(checkpoint)
    facts, steps = config["facts"], origin_of_checkpoint(checkpoint).bought_with.env_steps
    total = facts.get("settings", {}).get("steps", 0)
    is_short = steps is not None and env_steps is not None and steps < env_steps
    lacks_steps = facts.get("trained_steps", total) < total
    lacks_head = config.get("model", {}).get("head") is not None and "head" not in facts
    if is_short or lacks_steps or lacks_head:
        raise UserError(f"expected a finished training in {directory}, got one on the way")
    return checkpoint


def first_finished(places: Iterable[Path], env_steps: int | None = None) -> Path | None:
    """The first finished checkpoint of those in ``places``; None if there is none."""
    for place in places:
        try:
            return finished_checkpoint(place, env_steps)
        except UserError:
            continue
    return None


def origin_of_checkpoint(checkpoint: Path) -> Origin:
    """What ``config.json`` says of the training; :func:`find_checkpoint` gives the directory.

    Raises:
        DamagedDataError: if the checkpoint is not what its manifest says.
    """
    from agent.evaluation.provenance import origin_of

    try:
        return origin_of(_config(checkpoint)["facts"])
    except (KeyError, TypeError, AttributeError) as error:
        raise DamagedDataError(f"{checkpoint}: config.json is unreadable ({error!r})") from error


def _config(checkpoint: Path) -> dict[str, Any]:
    from agent.model.bundle import read_bundle

    try:
        config = json.loads(read_bundle(checkpoint)["config.json"])
        return {**config, "facts": dict(config["facts"])}
    except (KeyError, ValueError, TypeError) as error:
        raise DamagedDataError(f"{checkpoint}: config.json is unreadable ({error!r})") from error
