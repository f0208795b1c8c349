"""A directory of files that is either whole or not there.

``manifest.json`` lists every file with its SHA-256. A bundle is written beside its place, synced
to disk and renamed, so a crash leaves the old one or the new one. One process at a time writes;
others read meanwhile and get one whole bundle, the old or the new, and touch nothing. Nothing in it
is a pickle: tensors are safetensors, the rest is JSON or text.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple, TypeVar

from agent.errors import DamagedDataError, UserError
from agent.files.durable import entries, fsync_directory, write_synced
from agent.files.lock import exclusive

T = TypeVar("T")
MANIFEST = "manifest.json"
CHECKPOINT, STATE = "checkpoint", "training_state"  # the bundles in a training's directory


def require_elsewhere(directory: Path) -> None:
    """UserError if this process is in ``directory``: it is replaced as a whole, and is no place."""
    if Path.cwd().is_relative_to(os.path.realpath(directory)):
        raise UserError(
            f"expected a directory to write anew, got {directory}, which this program runs in: "
            "name one inside it"
        )


def write_bundle(directory: Path, files: Mapping[str, bytes]) -> None:
    """Put ``files`` (name to content) at ``directory``, replacing an earlier bundle of its kind.

    Raises:
        UserError: if something that is no bundle is in the way, or one of other kinds of files: a
            checkpoint is not replaced by an export; or another process is writing there.
    """
    require_elsewhere(directory)
    directory = Path(os.path.realpath(directory))  # a link goes on to lead there
    with exclusive(_beside(directory, "lock"), directory):
        _finish_swap(directory)
        require_replaceable(directory, files)
        aside = _beside(directory, "writing")
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir()
        hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
        manifest = json.dumps({"files": hashes}, indent=2).encode()
        for name, content in {**files, MANIFEST: manifest}.items():
            write_synced(aside / name, content)
        fsync_directory(aside)
        _swap(aside, directory)


def read_bundle(directory: Path, only: Collection[str] | None = None) -> dict[str, bytes]:
    """Every file of the bundle, or ``only`` those it has of these, checked against the manifest.

    Raises:
        UserError: if there is no bundle at ``directory``.
        DamagedDataError: if a file is missing or is not what the manifest says.
    """

    def read(place: Path) -> dict[str, bytes]:
        hashes = _hashes(place, _manifest(place))
        wanted = {name: h for name, h in hashes.items() if only is None or name in only}
        return {name: _read_file(place, name, expected) for name, expected in wanted.items()}

    return _undisturbed(directory, read)


def bundle_sha256(directory: Path) -> str:
    """One hash for the whole bundle, that of its manifest; UserError if there is no bundle."""

    def read(place: Path) -> str:
        content = _manifest(place)
        _hashes(place, content)
        return hashlib.sha256(content).hexdigest()

    return _undisturbed(directory, read)


def has_bundle(directory: Path) -> bool:
    """Whether a bundle (whole or damaged) lies at ``directory``."""
    return _present(directory).which is not None


def _read_file(place: Path, name: str, expected: str) -> bytes:
    path = place / name
    if not path.is_file():
        raise DamagedDataError(f"{path} is missing; restore or make {place} again")
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise DamagedDataError(
            f"{path} is damaged: expected SHA-256 {expected[:12]}…, got {found[:12]}…; "
            f"restore or make {place} again"
        )
    return content


def _manifest(place: Path) -> bytes:
    path = place / MANIFEST
    if path.is_file():
        return path.read_bytes()
    if entries(place):
        raise DamagedDataError(f"expected {MANIFEST} in {place}, got none")
    raise UserError(f"expected a checkpoint directory with {MANIFEST}, got {place}")


def _hashes(place: Path, manifest: bytes) -> dict[str, str]:
    """What the manifest says: names of files of that folder, with their hashes."""
    try:
        hashes = {str(name): str(value) for name, value in json.loads(manifest)["files"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedDataError(
            f"{place / MANIFEST} is not a readable manifest ({error})"
        ) from error
    for name in hashes:
        if name in ("", ".", "..") or Path(name).name != name:
            raise DamagedDataError(
                f"{place / MANIFEST} names {name!r}: expected files of its own folder. Do not "
                "trust this directory; make it or get it again"
            )
    return hashes


def _undisturbed(directory: Path, read: Callable[[Path], T]) -> T:
    """What ``read`` finds; a failure counts only if no writer has put another bundle there."""
    while True:
        before = _present(directory)
        try:
            return read(before.place)
        except (OSError, UserError, DamagedDataError):
            if _present(directory) == before:
                raise


class _Present(NamedTuple):
    """Where a bundle lies at a moment, and which it is: its manifest's number and time."""

    place: Path
    which: tuple[int, int] | None


def _present(directory: Path) -> _Present:
    # A writer moves the old one aside before it moves the new one in, and may have ended there.
    old = _beside(directory, "old")
    for _ in range(3):  # whoever missed it came between two moves
        which = _which(directory)
        if which is not None:
            return _Present(directory, which)
        which = None if directory.exists() else _which(old)
        if which is not None:
            return _Present(old, which)
    return _Present(directory, None)


def _which(place: Path) -> tuple[int, int] | None:
    try:
        found = (place / MANIFEST).stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def require_replaceable(directory: Path, files: Mapping[str, bytes]) -> None:
    """UserError if what is at ``directory`` is no earlier bundle of the kind of ``files``."""
    if not directory.is_file() and not entries(directory):
        return
    if not (directory / MANIFEST).is_file():
        found = "something else"
    else:
        present = _hashes(directory, _manifest(directory))
        if _kinds(present) == _kinds(files):
            return
        found = f"one of other files ({', '.join(sorted(present))})"
    raise UserError(
        f"expected {directory} to be new, empty or an earlier result of the same command, got "
        f"{found}; nothing was written, choose another place"
    )


def _kinds(names: Iterable[str]) -> set[str]:
    """What tells weights from graphs and from text."""
    suffixes = {Path(name).suffix for name in names if name != "README.md"}
    return suffixes - {".npz"}  # some of either kind have such a file, older ones do not


def _beside(directory: Path, what: str) -> Path:
    place = Path(os.path.abspath(directory))  # noqa: PTH100 (a link to a bundle stays one)
    return place.parent / f".{place.name}.{what}"


def _swap(aside: Path, directory: Path) -> None:
    """Rename ``aside`` into place; a crash in between is finished by :func:`_finish_swap`."""
    old = _beside(directory, "old")
    shutil.rmtree(old, ignore_errors=True)
    if directory.is_dir():
        directory.rename(old)
    aside.rename(directory)
    fsync_directory(directory.parent)
    shutil.rmtree(old, ignore_errors=True)


def _finish_swap(directory: Path) -> None:
    """Bring back the previous bundle if a crash fell between the two renames; writers only."""
    old = _beside(directory, "old")
    if old.is_dir() and not directory.exists():
        old.rename(directory)
