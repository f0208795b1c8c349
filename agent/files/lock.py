"""The right to write at a place: one process at a time holds it.

A lock is the kernel's, on a file that lies there only while somebody writes: however the process
ends, it is free again. Some file systems have no locks; there everybody may write, with a warning.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import IO

from agent.errors import UserError
from agent.files.durable import explained_disk_errors, make_directory

LOCK_NAME = ".lock"
_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL)
_PATIENCE_S = 0.2  # somebody may be asking whether it is held
_HELD: set[Path] = set()  # by this process
_log = logging.getLogger(__name__)


@contextmanager
def writing_lock(directory: Path) -> Iterator[None]:
    """Hold the right to write in ``directory``, made if missing; an empty one goes again."""
    is_new = not directory.exists()
    try:
        with exclusive(directory / LOCK_NAME, directory):
            yield
    finally:
        if is_new:
            with suppress(OSError):
                directory.rmdir()


@contextmanager
def exclusive(path: Path, place: Path, wait: bool = False) -> Iterator[None]:
    """Hold the lock file ``path``, which guards ``place``; ``wait`` until it is free.

    Raises:
        UserError: if this process or another holds it, and not to ``wait``; or nobody may write
            there.
    """
    make_directory(path.parent)
    own = path.resolve()
    if own in _HELD and not wait:
        raise UserError(
            f"this program is writing into {place} already: close what it opened there, as a "
            "`with` block does by itself"
        )
    with explained_disk_errors(path.parent):
        file = _taken(path, place, wait)
    try:
        _HELD.add(own)
        yield
    finally:
        _HELD.discard(own)
        path.unlink(missing_ok=True)  # while it is held: whoever comes next makes another
        file.close()


def is_being_written(directory: Path) -> bool:
    """Whether a process holds the right to write in ``directory``; False where nobody can know."""
    try:
        with (directory / LOCK_NAME).open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _taken(path: Path, place: Path, wait: bool) -> IO[str]:
    while True:
        file = path.open("a")
        try:
            _lock(file, place, wait)
            if _lies_at(file, path):
                return file
        except BaseException:
            file.close()
            raise
        file.close()  # the holder before has removed it meanwhile


def _lock(file: IO[str], place: Path, wait: bool) -> None:
    until_s = time.monotonic() + _PATIENCE_S
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            return
        except BlockingIOError as error:
            if time.monotonic() > until_s:
                raise UserError(
                    f"another process is writing into {place}: wait for it or choose another place"
                ) from error
            time.sleep(_PATIENCE_S / 4)
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
            _warn_of_no_locks(Path(file.name).parent)
            return


def _lies_at(file: IO[str], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


@cache
def _warn_of_no_locks(place: Path) -> None:
    """Once for each place."""
    _log.warning("the disk of %s has no locks: let no other process write there", place)
