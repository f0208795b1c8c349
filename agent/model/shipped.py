"""Where a checkpoint is: what the user names, or the one that comes with the program."""

from __future__ import annotations

from pathlib import Path

from agent.errors import UserError
from agent.files.bundle import CHECKPOINT, has_bundle
from agent.files.durable import entries

SHIPPED = Path("checkpoints/reacher")
DEMOS_MODEL = "world-model"  # the folder of a demo's run
_PACKAGE = Path(__file__).parents[1]
_BROUGHT = (_PACKAGE.parent / SHIPPED, _PACKAGE / "shipped" / SHIPPED.name)  # clone, wheel


def find_checkpoint(directory: Path) -> Path:
    """``directory`` or the checkpoint inside it, that of a run or of a ``demo``; the shipped one is
    found from any folder.

    Raises:
        UserError: if there is none, naming what makes one.
    """
    places = [directory, directory / CHECKPOINT, directory / DEMOS_MODEL / CHECKPOINT]
    if directory == SHIPPED and not directory.exists():
        places += _BROUGHT
    for place in places:
        if has_bundle(place):
            return place
    if entries(directory, "*.safetensors"):
        return directory  # lacks its manifest: reading it says so
    raise UserError(
        f"expected a checkpoint in {directory}, got none: name another, or make one with "
        "`train` (or `baseline`, for a rival)"
    )
