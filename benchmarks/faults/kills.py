"""``kill -9`` at random moments, then the same command again: nothing kept may be lost.

A third of the kills come at a random time, a third just before a random file is opened, synced,
renamed or removed, a third while a file is written, so that it is cut short at a random byte.
"""

from __future__ import annotations

import os
import random
import resource
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.faults.forks import Ended, Prepare, forked
from benchmarks.faults.jobs import Job

WAYS = ("by time", "by operation", "in a write")
KILLS_BEFORE_THE_END = 4  # of one job at most, then it is left to finish
_SYNC = b"s"
_EVENTS = ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "shutil.rmtree")


@dataclass
class Tally:
    """What happened to the runs of one job; ``wrong`` says what must not be, in words."""

    kills: int = 0
    ways: Counter[str] = field(default_factory=Counter)
    finished: int = 0
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)

    def row(self, name: str) -> dict[str, Any]:
        """For the file of results."""
        return {
            "job": name, "kills": self.kills, **{way: self.ways[way] for way in WAYS},
            "gone on to the end": self.finished, "seconds": round(self.seconds, 1),
            "wrong": self.wrong,
        }  # fmt: skip


@dataclass(frozen=True)
class Usual:
    """The job undisturbed: how long it takes, how many operations, how large, its end."""

    seconds: float
    operations: int
    syncs: int
    largest_bytes: int
    total_bytes: int
    result: Mapping[str, str]

    def difference(self, found: Mapping[str, str]) -> str:
        """What of ``found`` is not as ever, in words; nothing if all is."""
        names = {name for name, _ in set(self.result.items()) ^ set(found.items())}
        return f"not as ever: {', '.join(sorted(names))}" if names else ""


def kill(
    job: Job, count: int, chance: random.Random, limit_s: float, done: Callable[[int], None]
) -> Tally:
    """Kill ``job`` ``count`` times, in as many places as that takes."""
    tally, end_s = Tally(), time.monotonic() + limit_s
    usual = undisturbed(job)
    while tally.kills < count and time.monotonic() < end_s:
        with tempfile.TemporaryDirectory() as place:
            _one_place(job, Path(place), usual, min(KILLS_BEFORE_THE_END, count - tally.kills),
                       chance, tally)  # fmt: skip
        done(tally.kills)
    tally.seconds = limit_s - (end_s - time.monotonic())
    return tally


def _one_place(
    job: Job, place: Path, usual: Usual, kills: int, chance: random.Random, tally: Tally
) -> None:
    kept: set[str] = set()
    for _ in range(kills):
        way = chance.choice(WAYS)
        ended = _killed_once(job, place, usual, way, chance)
        if ended.finished:  # the kill would have come later
            break
        if not ended.signal:
            tally.wrong.append(f"{way}: exit code {ended.code}: {ended.last_line}")
            return
        tally.kills += 1
        tally.ways[way] += 1
        kept = _still(job, place, kept, f"killed {way}", tally)
    ended = forked(lambda: job.run(place))
    if not ended.finished:
        tally.wrong.append(f"run again: exit code {ended.code}: {ended.last_line}")
        return
    _still(job, place, kept, "run to its end", tally)
    differs = usual.difference(job.result(place))
    tally.wrong += [differs] if differs else []
    tally.finished += 1


def _still(job: Job, place: Path, before: set[str], when: str, tally: Tally) -> set[str]:
    """What is kept now; all of ``before`` must be in it."""
    try:
        now = job.kept(place)
    except Exception as error:
        tally.wrong.append(f"{when}: unreadable: {type(error).__name__}: {error}")
        return before
    if before - now:
        tally.wrong.append(f"{when}: lost {len(before - now)} of {len(before)}")
    return now


def undisturbed(job: Job) -> Usual:
    """``job`` run once in peace."""
    with tempfile.TemporaryDirectory() as room:
        place, counted = Path(room) / "place", Path(room) / "counted"
        place.mkdir()
        ended = forked(lambda: job.run(place), [_count_operations(counted, None)])
        assert ended.finished, ended.said
        sizes = [path.stat().st_size for path in place.rglob("*") if path.is_file()]
        done = counted.read_bytes()
        return Usual(
            ended.seconds, len(done), done.count(_SYNC), max(sizes), sum(sizes),
            dict(job.result(place)),
        )  # fmt: skip


def _killed_once(job: Job, place: Path, usual: Usual, way: str, chance: random.Random) -> Ended:
    if way == "by time":
        return forked(lambda: job.run(place), kill_after_s=usual.seconds * chance.random())
    if way == "in a write":
        return forked(lambda: job.run(place), [_cut(chance.randrange(usual.largest_bytes))])
    counted = place.with_name(f"{place.name}.counted")
    last = chance.randrange(max(1, usual.operations))
    ended = forked(lambda: job.run(place), [_count_operations(counted, last)])
    counted.unlink()
    return ended


def _count_operations(counted: Path, last: int | None) -> Prepare:
    """One byte in ``counted`` for each operation on files; killed before number ``last``."""

    def prepare() -> None:
        descriptor = os.open(counted, os.O_WRONLY | os.O_CREAT)
        synced, done = os.fsync, 0

        def one_more(kind: bytes) -> None:
            nonlocal done
            if done == last:
                os.kill(os.getpid(), signal.SIGKILL)
            done += 1
            os.write(descriptor, kind)

        def hook(event: str, words: tuple[Any, ...]) -> None:
            if event in _EVENTS or (event == "open" and _writes(words)):
                one_more(b".")

        def fsync(descriptor: int) -> None:
            one_more(_SYNC)
            synced(descriptor)

        os.fsync = fsync
        sys.addaudithook(hook)

    return prepare


def _writes(words: tuple[Any, ...]) -> bool:
    _, _, flags = words
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR))


def _cut(size_bytes: int) -> Prepare:
    """The process ends as soon as a file is longer than ``size_bytes``; what fits is written."""

    def prepare() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, size_bytes))

    return prepare
