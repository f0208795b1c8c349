"""Where checkpoints are looked for: what the user names, or the folder of the run that made it."""

from __future__ import annotations

from pathlib import Path

from agent.errors import UserError

SHIPPED = Path("checkpoints/reacher")
INNER = "checkpoint"


def find_checkpoint(directory: Path) -> Path:
    """``directory`` or the checkpoint inside it; UserError naming what makes one if none is."""
    from agent.model.bundle import has_bundle

    for place in (directory, directory / INNER):
        if has_bundle(place):
            return place
    if directory.exists() and any(directory.glob("*.safetensors")):
        return directory  # lacks its manifest: reading it says so
    raise UserError(
        f"expected a checkpoint in {directory}, got none: name another with --checkpoint, or make "
        "one with `train` (or `baseline`, for sac)"
    )
