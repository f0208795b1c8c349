"""What a study is: a list of independent seeded runs, how one is measured, and what they say.

A run's settings and what it measured are JSON values, so a run can be repeated from the file that
reports it, and one that was finished before an interruption is never repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

Preset = Literal["quick", "full"]
PRESETS: tuple[Preset, ...] = get_args(Preset)
Settings = Mapping[str, Any]
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Study:
    """A question asked of many independent runs.

    A module of a study ends with ``STUDY = Study(...)`` and has a line in
    ``studies.catalogue`` and one in ``studies.figures``.
    """

    name: str
    summary: str
    """One sentence: what is varied and what is measured."""
    jobs: Callable[[Preset], list[dict[str, Any]]]
    """Settings of every run, each with its ``seed``; they are all different."""
    measure: Callable[[Settings, Path], dict[str, Any]]
    """Do one run, on one thread; returns what was measured, under names no setting has.

    The directory is the run's own: it is empty at first, found again after an interruption, and
    removed when the run is finished.
    """
    conclude: Callable[[Sequence[Row]], dict[str, Any]]
    """What the rows say; a row is a run's settings and measurements in one dictionary.

    Rows come in the order of ``jobs``. The answer has ``bars``: what is asked for by name, each
    made by :func:`bar`; the rest is the study's own (means with intervals).
    """


def bar(value: float, asked: str, reached: bool) -> dict[str, Any]:
    """A figure that was promised: ``value``, what was ``asked`` in words, and whether it holds."""
    return {"value": float(value), "asked": asked, "reached": bool(reached)}


def seeds_of(seed: int, *path: int, count: int = 1) -> list[int]:
    """``count`` independent 63-bit seeds below ``seed``; ``path`` names a branch."""
    import numpy as np

    sequence = np.random.SeedSequence(seed, spawn_key=path)
    return [int(state >> np.uint64(1)) for state in sequence.generate_state(count, np.uint64)]
