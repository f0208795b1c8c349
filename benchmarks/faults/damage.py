"""Damaged files, read: each is refused in words of ours, or gives what was written, to the bit.

A file of a specimen is damaged once: a bit is flipped, the end is cut off, a block is zeroed or
overwritten with noise, two parts change places, a part is left out or repeated, or the same file
of another specimen takes its place. Every reading is in a fork, so a crash is seen as one.
"""

from __future__ import annotations

import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.commands.failures import DAMAGED, USER
from benchmarks.faults.forks import Ended, forked, limit_memory
from benchmarks.faults.specimens import PEOPLE, Specimen, specimens

MEMORY_MB = 1000
REFUSED, SAME, LESS = "refused", "same content", "less, and it is said"
DIFFERENT, CRASHED, TRACEBACK, SLOW = "another content", "crashed", "traceback", "hung"
WRONG = (DIFFERENT, CRASHED, TRACEBACK, SLOW)


@dataclass
class Tally:
    """How many readings ended how; which ended as they must not."""

    outcomes: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def row(self, name: str) -> dict[str, Any]:
        """For the file of results."""
        return {
            "files": name, "damaged": self.outcomes.total(), **self.outcomes,
            "wrong": self.wrong,
        }  # fmt: skip


def damaged(
    specimen: Specimen, count: int, chance: random.Random, done: Callable[[int], None]
) -> dict[str, Any]:
    """Damage ``specimen`` ``count`` times and read it."""
    tally = Tally()
    with tempfile.TemporaryDirectory() as room:
        whole, other = Path(room) / "whole", Path(room) / "other"
        for number, place in enumerate((whole, other)):
            assert forked(lambda n=number, p=place: specimen.make(p, n)).finished  # type: ignore[misc]
        undamaged = forked(lambda: specimen.read(whole))
        assert undamaged.finished, undamaged.said
        scratch = Path(room) / "scratch"
        for number in range(count):
            shutil.copytree(whole, scratch)
            what = _damage_one(scratch, other, chance)
            ended = forked(lambda: specimen.read(scratch), [limit_memory(MEMORY_MB)], None, 30.0)
            outcome = _outcome(ended, undamaged.gave)
            tally.outcomes[outcome] += 1
            if outcome in WRONG:
                tally.wrong.append(f"{outcome}: {what}: {ended.last_line[:200]}")
            shutil.rmtree(scratch)
            done(number + 1)
    return tally.row(specimen.name)


def names() -> tuple[str, ...]:
    """The kinds of files."""
    return tuple(specimen.name for specimen in specimens())


def specimen_named(name: str) -> Specimen:
    """The kind of that name."""
    return next(specimen for specimen in specimens() if specimen.name == name)


def _outcome(ended: Ended, expected: list[str]) -> str:
    if ended.timed_out:
        return SLOW
    if ended.signal:
        return CRASHED
    if ended.finished:
        if ended.gave == expected:
            return SAME
        is_part = set(ended.gave) < set(expected)
        return LESS if is_part and ended.said.strip() else DIFFERENT
    refused = ended.code in (USER, DAMAGED)
    return REFUSED if refused else TRACEBACK


def _damage_one(place: Path, other: Path, chance: random.Random) -> str:
    """Damage one file in ``place``; what was done, in words."""
    files = sorted(p for p in place.rglob("*") if p.is_file() and p.stat().st_size)
    path = chance.choice([p for p in files if p.name not in PEOPLE])
    alone = len(files) == 1  # then another file in its place is simply another file
    way = chance.choice((*WAYS,) if alone else (*WAYS, "swap"))
    if way == "swap":
        content = (other / path.relative_to(place)).read_bytes()
    else:
        content = WAYS[way](path.read_bytes(), chance)
    path.write_bytes(content)
    return f"{way} in {path.relative_to(place)}"


def _flip(content: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(content))
    return content[:at] + bytes([content[at] ^ 1 << chance.randrange(8)]) + content[at + 1 :]


def _truncate(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(len(content))]


def _block(content: bytes, chance: random.Random) -> tuple[int, int]:
    size = min(len(content), chance.choice((1, 16, 512, 4096)))
    first = chance.randrange(len(content) - size + 1)
    return first, first + size


def _zero(content: bytes, chance: random.Random) -> bytes:
    first, end = _block(content, chance)
    return content[:first] + bytes(end - first) + content[end:]


def _noise(content: bytes, chance: random.Random) -> bytes:
    first, end = _block(content, chance)
    return content[:first] + chance.randbytes(end - first) + content[end:]


def _exchange(content: bytes, chance: random.Random) -> bytes:
    first, end = _block(content, chance)
    at = chance.randrange(len(content) - (end - first) + 1)
    changed = bytearray(content)
    changed[first:end], changed[at : at + end - first] = (
        content[at : at + end - first], content[first:end],
    )  # fmt: skip
    return bytes(changed)


def _leave_out(content: bytes, chance: random.Random) -> bytes:
    first, end = _block(content, chance)
    return content[:first] + content[end:]


def _repeat(content: bytes, chance: random.Random) -> bytes:
    first, end = _block(content, chance)
    return content[:end] + content[first:]


WAYS: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "flip": _flip, "truncate": _truncate, "zero": _zero, "noise": _noise,
    "exchange": _exchange, "leave out": _leave_out, "repeat": _repeat,
}  # fmt: skip
