"""The disk fills up at random moments; with space again, the same command goes on.

Where this process may mount one, the job has a small disk of its own (tmpfs) on which a random
number of bytes is free: the system itself refuses the write. Elsewhere, and for half of the runs,
every sync from a random one on finds the disk full, as file systems say that allocate late.
"""

from __future__ import annotations

import ctypes
import errno
import os
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.faults.forks import BUG, Ended, Prepare, forked
from benchmarks.faults.jobs import Job
from benchmarks.faults.kills import Usual, undisturbed

DISK_BYTES = 64 * 2**20
BALLAST = "ballast"
_NEW_MOUNTS = 0x20000  # CLONE_NEWNS: nobody else sees what is mounted
_PRIVATE = 0x44000  # MS_REC | MS_PRIVATE
_CLEAR = ("space", "full", "too large")


def fill(
    job: Job, count: int, chance: random.Random, limit_s: float, done: Callable[[int], None]
) -> dict[str, Any]:
    """Fill the disk of ``job`` ``count`` times; a row of results."""
    end_s, usual, wrong = time.monotonic() + limit_s, undisturbed(job), list[str]()
    filled = said = finished = 0
    with tempfile.TemporaryDirectory() as room:
        disk = Path(room) / "disk"
        disk.mkdir()
        may_mount = can_mount()
        while filled < count and time.monotonic() < end_s:
            ways = (_small_disk, _late_refusal) if may_mount else (_late_refusal,)
            with mounted(disk) if may_mount else tempfile.TemporaryDirectory(dir=disk) as place:
                ended = chance.choice(ways)(job, Path(place), usual, chance)
                if ended.finished:  # it had enough
                    continue
                filled += 1
                said += _is_clear(ended)
                if not _is_clear(ended):
                    wrong.append(f"exit code {ended.code}: {ended.last_line[:200]}")
                problem = _goes_on(job, Path(place), usual)
                wrong += [problem] if problem else []
                finished += not problem
            done(filled)
    return {
        "job": job.name, "disks filled": filled, "said and ended": said,
        "gone on to the end": finished, "small disk": "tmpfs" if may_mount else "none",
        "wrong": wrong,
    }  # fmt: skip


def _goes_on(job: Job, place: Path, usual: Usual) -> str:
    """What is wrong with going on when there is space again; nothing if it is well."""
    try:
        kept = job.kept(place)
    except Exception as error:
        return f"unreadable: {type(error).__name__}: {error}"
    ended = forked(lambda: job.run(place))
    if not ended.finished:
        return f"run again: exit code {ended.code}: {ended.last_line[:200]}"
    if kept - job.kept(place):
        return "something kept was lost"
    return usual.difference(job.result(place))


def _is_clear(ended: Ended) -> bool:
    spoken = any(word in ended.last_line.lower() for word in _CLEAR)
    return not ended.signal and ended.code not in (0, BUG) and spoken


def _small_disk(job: Job, place: Path, usual: Usual, chance: random.Random) -> Ended:
    free = chance.randrange(usual.total_bytes)
    space = os.statvfs(place)
    descriptor = os.open(place / BALLAST, os.O_CREAT | os.O_WRONLY)
    os.posix_fallocate(descriptor, 0, max(1, space.f_bavail * space.f_frsize - free))
    os.close(descriptor)
    try:
        return forked(lambda: job.run(place))
    finally:
        (place / BALLAST).unlink()


def _late_refusal(job: Job, place: Path, usual: Usual, chance: random.Random) -> Ended:
    return forked(lambda: job.run(place), [full_from_sync(chance.randrange(usual.syncs))])


def full_from_sync(number: int) -> Prepare:
    """Every sync from that ``number`` on finds the disk full."""

    def prepare() -> None:
        synced, done = os.fsync, 0

        def fsync(descriptor: int) -> None:
            nonlocal done
            done += 1
            if done > number:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            synced(descriptor)

        os.fsync = fsync

    return prepare


def can_mount() -> bool:
    """Whether this process may have mounts of its own; from then on it has."""
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "unshare") or libc.unshare(_NEW_MOUNTS):
        return False
    return bool(libc.mount(b"none", b"/", None, ctypes.c_ulong(_PRIVATE), None) == 0)


class mounted:  # noqa: N801
    """A small disk at ``place`` while the body runs; ``read_only``, nobody may write on it."""

    def __init__(self, place: Path, read_only: bool = False) -> None:
        self._place, self._flags = os.fsencode(place), ctypes.c_ulong(read_only)
        self._libc = ctypes.CDLL(None, use_errno=True)

    def __enter__(self) -> str:
        size = f"size={DISK_BYTES}".encode()
        if self._libc.mount(b"tmpfs", self._place, b"tmpfs", self._flags, size):
            raise OSError(ctypes.get_errno(), "cannot mount a small disk")
        return os.fsdecode(self._place)

    def __exit__(self, *unused: object) -> None:
        self._libc.umount2(self._place, 2)
