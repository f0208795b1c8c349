"""Where results go: a bad place is refused before the work, not after it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from agent.errors import UserError
from agent.files.durable import make_directory
from agent.files.ours import is_ours, require_suffix


def require_file_place(
    path: Path | None, flag: str, kind: str = "", suffixes: Sequence[str] = ()
) -> None:
    """Nothing for None; otherwise the directory is made, and a file can be written there.

    ``kind`` is what is written, such as ``.json``; by default what the name says, which is to end
    in one of the ``suffixes``, if any are given.

    Raises:
        UserError: naming ``flag`` if it is no such name, a directory or somebody's file is in the
            way, or nothing can be written there. A file of the kind that this program wrote is
            written over.
    """
    if path is None:
        return
    if suffixes:
        require_suffix(path, suffixes, flag)
    if path.exists() and not path.is_file():
        what = "the directory" if path.is_dir() else "the device"
        raise UserError(f"expected a file name for {flag}, got {what} {path}")
    if path.exists() and not is_ours(path, kind or path.suffix):
        raise UserError(
            f"{flag}: {path} is there already, and no {kind or path.suffix} that this program "
            "wrote: name another file, or move that one away"
        )
    require_directory(path.parent, flag)


def require_file_places(directory: Path, names: Iterable[str], flag: str) -> None:
    """Nobody's file in ``directory`` has one of the ``names`` that will be written there.

    Raises:
        UserError: naming ``flag`` and the file, if somebody's is in the way.
    """
    for name in names:
        if (directory / name).exists():
            require_file_place(directory / name, flag)


def require_directory(directory: Path, flag: str) -> None:
    """Make ``directory`` if it is missing; UserError naming ``flag`` if nobody may write there."""
    try:
        make_directory(directory)
    except UserError as error:
        raise UserError(f"{flag}: {error}") from error
    if not os.access(directory, os.W_OK):
        raise UserError(f"{flag}: cannot write in {directory}; choose a directory you may write to")


def run_beside(data: Path) -> Path:
    """Where a training on ``data`` may write: runs/NAME, and not inside the data set."""
    place = data.resolve()
    inside = Path.cwd().is_relative_to(place)
    return Path(os.path.relpath(place.parent) if inside else "") / "runs" / place.name
