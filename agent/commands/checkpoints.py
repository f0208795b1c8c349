"""Where checkpoints are looked for: what the user names, or the folder of the run that made it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from agent.errors import DamagedDataError, UserError

if TYPE_CHECKING:
    from agent.evaluation.provenance import Origin

SHIPPED = Path("checkpoints/reacher")


def find_checkpoint(directory: Path) -> Path:
    """``directory`` or the checkpoint inside it; UserError naming what makes one if none is."""
    from agent.model.bundle import CHECKPOINT, has_bundle

    for place in (directory, directory / CHECKPOINT):
        if has_bundle(place):
            return place
    if directory.exists() and any(directory.glob("*.safetensors")):
        return directory  # lacks its manifest: reading it says so
    raise UserError(
        f"expected a checkpoint in {directory}, got none: name another with --checkpoint, or make "
        "one with `train` (or `baseline`, for sac)"
    )


def origin_of_checkpoint(checkpoint: Path) -> Origin:
    """What ``config.json`` says of the training; :func:`find_checkpoint` gives the directory.

    Raises:
        DamagedDataError: if the checkpoint is not what its manifest says.
    """
    from agent.evaluation.provenance import origin_of
    from agent.model.bundle import read_bundle

    try:
        config = json.loads(read_bundle(checkpoint)["config.json"])
        return origin_of(config["facts"])
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise DamagedDataError(f"{checkpoint}: config.json is unreadable ({error!r})") from error
