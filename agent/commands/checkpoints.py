"""What a checkpoint says of its training."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.errors import DamagedDataError
from agent.evaluation.provenance import origin_of
from agent.files.bundle import read_bundle
from agent.files.json_files import parsed
from agent.model.shipped import SHIPPED

if TYPE_CHECKING:
    from envs import WorldSpec


@contextmanager
def saying_which(named: bool) -> Iterator[None]:
    """Of a SpecError in the body, which checkpoint that is where nobody ``named`` another."""
    from envs import SpecError

    try:
        yield
    except SpecError as error:
        if named:
            raise
        raise SpecError(
            f"{error}. The checkpoint is {SHIPPED}, which comes with the program: name your own "
            "with --checkpoint"
        ) from error


def origin_of_checkpoint(checkpoint: Path, with_head: bool = False) -> dict[str, Any]:
    """What ``config.json`` says of the training; see :func:`origin_of`.

    Raises:
        DamagedDataError: if the checkpoint is not what its manifest says.
    """
    try:
        return origin_of(checkpoint_config(checkpoint)["facts"], with_head)
    except (KeyError, TypeError, AttributeError) as error:
        raise DamagedDataError(f"{checkpoint}: config.json is unreadable ({error!r})") from error


def world_of_checkpoint(checkpoint: Path) -> WorldSpec | None:
    """The world of a model or policy; None where the checkpoint does not say."""
    from agent.model.description import FIRST_SCHEMA, checkpoint_spec
    from envs import WorldSpec

    config = checkpoint_config(checkpoint)
    if config.get("schema") == FIRST_SCHEMA:
        return checkpoint_spec(checkpoint)
    return WorldSpec.from_json(config["world"]) if "world" in config else None


def name_of_result(controller: str, checkpoint: Path) -> str:
    """What a result goes by: the ``controller``, and how its model was made if not as usual.

    A model trained with another regulariser, or by another recipe, must not pass for the usual one:
    ``world-model-vicreg``, ``world-model-lewm``.

    Raises:
        DamagedDataError: if the checkpoint is not what its manifest says.
    """
    config = checkpoint_config(checkpoint)
    encoder = config.get("model", {}).get("encoder", {})
    regulariser = config["facts"].get("training", {}).get("regulariser", "sigreg")
    recipe = "lewm" if "kind" in encoder else regulariser
    usual = "lewm" if controller == "lewm" else "sigreg"
    return controller if recipe == usual else f"{controller}-{recipe}"


def checkpoint_config(checkpoint: Path) -> dict[str, Any]:
    """``config.json``, of any schema; what was trained how is in its ``facts``.

    Raises:
        DamagedDataError: if the checkpoint is not what its manifest says.
    """
    try:
        config = parsed(read_bundle(checkpoint, only=["config.json"])["config.json"])
        return {**config, "facts": dict(config["facts"])}
    except (KeyError, ValueError, TypeError) as error:
        raise DamagedDataError(f"{checkpoint}: config.json is unreadable ({error!r})") from error


def holdout_of_checkpoint(checkpoint: Path) -> float:
    """The share of its episodes that the training of a world model held out."""
    from agent.data.store import HOLDOUT_FRACTION
    from agent.model.checkpoint import checkpoint_facts

    training = checkpoint_facts(checkpoint).get("training", {})
    return float(training.get("holdout_fraction", HOLDOUT_FRACTION))
