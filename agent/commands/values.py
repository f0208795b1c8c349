"""What flags take beyond a number: seeds, counts, threads. A bound stands here and nowhere else."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

from tyro.conf import arg

from agent.settings import MAX_SEED
from agent.training.settings import MAX_THREADS

LARGEST_WHOLE = 2**63 - 1  # what files and libraries still hold
MOST = 10**9  # of anything that is done one by one


@dataclass(frozen=True)
class Within:
    """A note on a flag's type: the smallest and the largest number it takes."""

    low: int
    high: int

    def __str__(self) -> str:
        return f"from {self.low} to {self.high}"


def optional(metavar: str, meaning: str = "none") -> object:
    """A note on a flag that may be left away; help says what that means."""
    return arg(metavar=metavar, help_behavior_hint=f"(default: {meaning})")


Seed = Annotated[int, Within(0, MAX_SEED)]
Cluster = Annotated[str, optional("ADDRESS")]
Parallel = Annotated[int, Within(1, MAX_THREADS)]  # threads, or processes
Count = Annotated[int, Within(1, MOST)]
Port = Annotated[int, Within(1, 65535)]


def read_number(kind: type[int] | type[float], word: str) -> int | float | None:
    """``word`` as a finite number of 64 bits at most; None where it is none."""
    try:
        value = kind(word)
    except ValueError:
        return None
    fits = abs(value) <= LARGEST_WHOLE if isinstance(value, int) else math.isfinite(value)
    return value if fits else None
