"""Writing files so that a crash at any moment leaves the old content or the new, never a mixture.

A file is written under a temporary name, fsynced and renamed, and the directory is fsynced, so the
name survives a power cut as well. A line is appended and fsynced; if a kill cuts that
short the file ends without a newline, which is how a torn line is recognised.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from agent.errors import MachineError, UserError

TEMPORARY_SUFFIX = ".partial"  # behind the number of the process that writes
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # EFBIG: of `ulimit -f`
_NO_DIRECTORY_SYNC = (
    errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EBADF, errno.EACCES,
)  # fmt: skip
_LITTER = (".ds_store", "lost+found", "thumbs.db", "desktop.ini")  # and ``._NAME``
_FORBIDDEN = (
    errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST, errno.ENAMETOOLONG,
    errno.ELOOP,
    errno.ENOENT,  # of a directory that was just made: /proc and its like let nobody make one
)  # fmt: skip
_NO_DISK, _ON_DISK = ("/dev", "/proc", "/sys"), "/dev/shm"
_DEEPEST = 200  # Python makes and removes a tree by recursion


def entries(directory: Path, pattern: str = "*") -> list[Path]:
    """What lies in ``directory``, if there is one, without what systems leave everywhere."""
    if not directory.is_dir():
        return []
    found = sorted(path for path in directory.iterdir() if path.match(pattern))
    return [p for p in found if not p.name.startswith("._") and p.name.casefold() not in _LITTER]


def fsync_directory(directory: Path) -> None:
    """Make names created in or renamed into ``directory`` survive a power cut, where one can."""
    try:
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:  # some file systems sync names by themselves and refuse to be asked
        if error.errno not in _NO_DIRECTORY_SYNC:
            raise


def write_synced(path: Path, content: bytes) -> None:
    """Write a new file; its content, not yet its name, is on disk when this returns."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def write_durably(path: Path, content: bytes) -> None:
    """Replace ``path`` by ``content``; on disk when this returns, the old file if it raises."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}{TEMPORARY_SUFFIX}")
    try:
        write_synced(temporary, content)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    fsync_directory(path.parent)


def is_leftover(name: str, of: str = "") -> bool:
    """Whether a file of that name was being written, in place of the file ``of`` if that is given.

    It is what a kill leaves behind, unless somebody is writing now.
    """
    return name.startswith(of) and name.endswith(TEMPORARY_SUFFIX)


def append_line_durably(path: Path, line: str) -> None:
    """Append ``line`` and a newline; on disk when this returns, as it was if it raises."""
    is_new = not path.exists()
    with path.open("ab", buffering=0) as file:
        size, left = file.tell(), line.encode() + b"\n"
        try:
            while left:  # a disk that fills up takes a part
                left = left[file.write(left) :]
            os.fsync(file.fileno())
        except BaseException:
            with suppress(OSError):
                file.truncate(size)
            raise
    if is_new:
        fsync_directory(path.parent)


def drop_torn_line(path: Path) -> bool:
    """Cut off what follows the last newline; True if there was something."""
    if not path.exists():
        return False
    content = path.read_bytes()
    kept = content.rfind(b"\n") + 1
    if kept == len(content):
        return False
    write_durably(path, content[:kept])
    return True


def _require_disk(directory: Path) -> None:
    if len(directory.parts) > _DEEPEST:
        raise UserError(
            f"cannot write in {str(directory)[:40]}…: expected a directory at most {_DEEPEST} "
            f"deep, got one {len(directory.parts)} deep"
        )
    place = os.path.realpath(directory)
    within = [root for root in (_ON_DISK, *_NO_DISK) if Path(place).is_relative_to(root)]
    if within and within[0] != _ON_DISK:
        raise UserError(
            f"cannot write in {directory}: {within[0]} is the system's own. Choose a directory on "
            "a disk"
        )


@contextmanager
def explained_disk_errors(directory: Path) -> Iterator[None]:
    """Turn a full disk into MachineError, a forbidden place and one of no disk into UserError."""
    _require_disk(directory)
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise MachineError(
                f"no space left on the disk of {directory}. Everything committed so far is kept: "
                "free some space and run the same command again to continue"
            ) from error
        if error.errno in _FORBIDDEN:
            is_file = error.errno == errno.EEXIST
            why = "it is a file, not a directory" if is_file else error.strerror
            raise UserError(
                f"cannot write in {directory}: {why}. Choose a directory you may write to"
            ) from error
        raise


def write_result(path: Path, content: bytes) -> Path:
    """As ``write_durably``, in a directory that is made if missing; errors as explained above."""
    make_directory(path.parent)
    with explained_disk_errors(path.parent):
        write_durably(path, content)
    return path


def make_directory(directory: Path) -> None:
    """Make ``directory`` and those above it, if missing; errors as explained above."""
    with explained_disk_errors(directory):
        directory.mkdir(parents=True, exist_ok=True)
