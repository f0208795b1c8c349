"""Every suite by name: its parts, one row of results each, and what a row is headed with."""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Row = dict[str, Any]
Done = Callable[[int], None]


@dataclass(frozen=True)
class Suite:
    """``run`` makes a part with so many faults; ``count`` is how many in each by default.

    ``limit_s`` is given to all parts together, equal shares of what is left to each.
    """

    about: str
    count: int
    parts: Callable[[], Sequence[str]]
    run: Callable[[str, argparse.Namespace, float, Done], Row]
    columns: tuple[str, ...]


def chance_of(asked: argparse.Namespace, part: str) -> random.Random:
    """What is random in a part follows from the seed and its name alone."""
    return random.Random(f"{asked.seed}/{part}")


def _kill(part: str, asked: argparse.Namespace, limit_s: float, done: Done) -> Row:
    from benchmarks.faults.jobs import inputs_at, jobs
    from benchmarks.faults.kills import kill

    with tempfile.TemporaryDirectory() as room:
        job = jobs(inputs_at(Path(room)))[part]
        return kill(job, asked.count, chance_of(asked, part), limit_s, done).row(part)


def _job_names() -> Sequence[str]:
    from benchmarks.faults.jobs import NAMES

    return NAMES


def _damage(part: str, asked: argparse.Namespace, limit_s: float, done: Done) -> Row:
    from benchmarks.faults.damage import damaged, specimen_named

    return damaged(specimen_named(part), asked.count, chance_of(asked, part), done)


def _specimen_names() -> Sequence[str]:
    from benchmarks.faults.damage import names

    return names()


def _fill(part: str, asked: argparse.Namespace, limit_s: float, done: Done) -> Row:
    from benchmarks.faults.full_disk import fill
    from benchmarks.faults.jobs import inputs_at, jobs

    with tempfile.TemporaryDirectory() as room:
        job = jobs(inputs_at(Path(room)))[part]
        return fill(job, asked.count, chance_of(asked, part), limit_s, done)


def _attack(part: str, asked: argparse.Namespace, limit_s: float, done: Done) -> Row:
    from benchmarks.faults.hostile import attack

    return attack(part)


def _attack_names() -> Sequence[str]:
    from benchmarks.faults.hostile import names

    return names()


def _live(part: str, asked: argparse.Namespace, limit_s: float, done: Done) -> Row:
    from benchmarks.faults.hard_days import live

    return live(part, asked.count, done)


def _day_names() -> Sequence[str]:
    from benchmarks.faults.hard_days import DAYS

    return tuple(DAYS)


SUITES = {
    "kills": Suite(
        "kill -9 at random moments, then the same command again", 100, _job_names, _kill,
        ("job", "kills", "by time", "by operation", "in a write", "gone on to the end", "wrong"),
    ),
    "damage": Suite(
        "damaged files of every kind, read", 250, _specimen_names, _damage,
        ("files", "damaged", "refused", "same content", "less, and it is said", "wrong"),
    ),
    "full-disk": Suite(
        "the disk fills up at random moments, then there is space again", 10, _job_names, _fill,
        ("job", "disks filled", "said and ended", "gone on to the end", "wrong"),
    ),
    "hostile": Suite(
        "files made to do harm", 1, _attack_names, _attack,
        ("file", "outcome", "seconds", "wrong"),
    ),
    "days": Suite(
        "a clock that jumps, a slow disk, two at once, a lost worker", 3, _day_names, _live,
        ("day", "runs", "outcome", "wrong"),
    ),
}  # fmt: skip
