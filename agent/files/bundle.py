"""A directory of files that is either whole or not there.

``manifest.json`` lists every file with its SHA-256. A bundle is written beside its place, synced
to disk and renamed, so a crash leaves the old one or the new one. Nothing in it is a pickle:
tensors are safetensors, the rest is JSON or text.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from agent.errors import DamagedDataError, UserError
from agent.files.durable import fsync_directory, write_synced

MANIFEST = "manifest.json"
CHECKPOINT, STATE = "checkpoint", "training_state"  # the bundles in a training's directory


def require_no_run(out: Path, otherwise: str = "continue it with --resume") -> None:
    """A training never replaces another.

    Raises:
        UserError: if ``out`` holds one; the message offers ``otherwise`` or another directory.
    """
    if has_bundle(out / STATE) or has_bundle(out / CHECKPOINT):
        raise UserError(f"{out} already holds a run; {otherwise}, or choose a new --out")


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
            checkpoint is not replaced by an export.
    """
    require_elsewhere(directory)
    _finish_swap(directory)
    _require_replaceable(directory, files)
    directory.parent.mkdir(parents=True, exist_ok=True)
    aside = _beside(directory, "writing")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir()
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    manifest = json.dumps({"files": hashes}, indent=2).encode()
    for name, content in {**files, MANIFEST: manifest}.items():
        write_synced(aside / name, content)
    fsync_directory(aside)
    _swap(aside, directory)


def read_bundle(directory: Path) -> dict[str, bytes]:
    """Every file of the bundle, checked against the manifest.

    Raises:
        UserError: if there is no bundle at ``directory``.
        DamagedDataError: if a file is missing or is not what the manifest says.
    """
    _finish_swap(directory)
    hashes = _read_manifest(directory)
    files = {}
    for name, expected in hashes.items():
        path = directory / name
        if not path.is_file():
            raise DamagedDataError(f"{path} is missing; restore or make {directory} again")
        files[name] = path.read_bytes()
        found = hashlib.sha256(files[name]).hexdigest()
        if found != expected:
            raise DamagedDataError(
                f"{path} is damaged: expected SHA-256 {expected[:12]}…, got {found[:12]}…; "
                f"restore or make {directory} again"
            )
    return files


def bundle_sha256(directory: Path) -> str:
    """One hash for the whole bundle: that of its manifest.

    Raises:
        UserError: if there is no bundle at ``directory``.
    """
    _finish_swap(directory)
    _read_manifest(directory)
    return hashlib.sha256((directory / MANIFEST).read_bytes()).hexdigest()


def has_bundle(directory: Path) -> bool:
    """Whether a bundle (whole or damaged) lies at ``directory``."""
    _finish_swap(directory)
    return (directory / MANIFEST).is_file()


def _read_manifest(directory: Path) -> dict[str, str]:
    path = directory / MANIFEST
    if not path.is_file():
        if directory.is_dir() and any(directory.iterdir()):
            raise DamagedDataError(f"expected {MANIFEST} in {directory}, got none")
        raise UserError(f"expected a checkpoint directory with {MANIFEST}, got {directory}")
    try:
        hashes = json.loads(path.read_text(encoding="utf-8"))["files"]
        return {str(name): str(value) for name, value in hashes.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedDataError(f"{path} is not a readable manifest ({error})") from error


def _require_replaceable(directory: Path, files: Mapping[str, bytes]) -> None:
    occupied = directory.is_file() or (directory.is_dir() and any(directory.iterdir()))
    if not occupied:
        return
    if not (directory / MANIFEST).is_file():
        found = "something else"
    elif _kinds(_read_manifest(directory)) != _kinds(files):
        found = f"one of other files ({', '.join(sorted(_read_manifest(directory)))})"
    else:
        return
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
    """Bring back the previous bundle if a crash fell between the two renames."""
    old = _beside(directory, "old")
    if old.is_dir() and not directory.exists():
        old.rename(directory)
