"""Runs put together: a cell is one controller on one protocol, all its training seeds.

Within a cell every training seed has played the same episodes, and controllers are compared on
the episodes they share: task i of a protocol depends on the evaluation seed and i alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from agent.errors import UserError
from agent.interfaces import Array
from benchmarks.campaign.resampling import (
    Estimate,
    difference_over_seeds,
    interquartile_mean_over_seeds,
    mean_over_seeds,
    rate_over_seeds,
)
from benchmarks.campaign.subject import first_stream, is_defined_alike, tasks
from benchmarks.campaign.tables import read_runs, run_id

Result = Mapping[str, Any]
RETURN = "episode_return"


@dataclass(frozen=True)
class Cell:
    """``results`` of one controller on one protocol, one a training seed, in their order."""

    protocol: str
    controller: str
    results: tuple[Result, ...]

    @property
    def training_seeds(self) -> tuple[int | None, ...]:
        """None for what learns nothing, and where it was not recorded."""
        return tuple(result["training_seed"] for result in self.results)

    @property
    def checkpoints(self) -> tuple[str | None, ...]:
        """Their sums; None for what has none."""
        return tuple(result["checkpoint_sha256"] for result in self.results)

    @property
    def episodes(self) -> int:
        """Episodes that each training seed played."""
        return int(self.results[0]["episodes"])

    def of_first(self, episodes: int) -> Cell:
        """The same cell as if no more than ``episodes`` had been played."""
        results = tuple(
            {**one, "episodes": min(self.episodes, episodes)}
            | {"per_episode": one["per_episode"][:episodes]}
            for one in self.results
        )
        return replace(self, results=results)

    @property
    def has_return(self) -> bool:
        """Whether the protocol has a reward."""
        return all(result[RETURN] is not None for result in self.results)

    def rate(self, key: str) -> Estimate | None:
        """``first_touch`` or ``held`` over seeds; None if every episode was solved at the start."""
        values = self.values(key)
        return rate_over_seeds(values) if values.size else None

    def mean_return(self) -> tuple[Estimate, Estimate]:
        """Mean and interquartile mean of the return, over seeds and episodes."""
        values = self.values(RETURN)
        return mean_over_seeds(values), interquartile_mean_over_seeds(values)

    def values(self, key: str, episodes: int | None = None) -> Array:
        """One number an episode, (S, E), of the first ``episodes``; E are those that count.

        All have a return; for the rest those solved at the start do not count.
        """
        lines = [result["per_episode"][:episodes] for result in self.results]
        counted = [i for i, line in enumerate(lines[0]) if key == RETURN or not _solved(line)]
        return np.array([[one[i][key] for i in counted] for one in lines], dtype=np.float64)

    def median_error(self) -> float | None:
        """Of all seeds and episodes together."""
        errors = self.values("final_error")
        return float(np.median(errors)) if errors.size else None

    def decision_ms(self) -> tuple[float, float] | None:
        """Median over seeds of the median tick, and the largest of their 95th percentiles."""
        known = [r["decision_ms"] for r in self.results if r["decision_ms"]["p50"] is not None]
        if not known:
            return None
        return float(np.median([t["p50"] for t in known])), max(t["p95"] for t in known)

    def price(self, key: str) -> float | None:
        """Median over seeds of ``env_steps``, ``training_s`` or ``memory_mb``; None if unknown."""
        given = [(result["bought_with"] or {}).get(key) for result in self.results]
        known = [value for value in given if value is not None]
        return float(np.median(known)) if known else None


def _solved(line: Mapping[str, Any]) -> bool:
    return bool(line["solved_at_start"])


def read_cells(directory: Path) -> list[Cell]:
    """All cells of the tables in ``directory``.

    Raises:
        UserError: if there is no table, or two runs do not belong together.
    """
    groups: dict[tuple[str, str], list[Result]] = defaultdict(list)
    for run in read_runs(directory):
        groups[run["protocol"], run["controller"]].append(run)
    return [Cell(p, c, _together(group)) for (p, c), group in groups.items()]


def _together(group: Sequence[Result]) -> tuple[Result, ...]:
    """The results of one cell by training seed, checked to be of the same episodes."""
    ordered = sorted(group, key=lambda run: (run["training_seed"] is not None, _seed(run)))
    for before, run in pairwise(ordered):
        if _episodes(run) != _episodes(before):
            raise UserError(
                f"expected {run_id(run)} to have the episodes of {run_id(before)}, got others: "
                "measure both with the same --episodes and --seed"
            )
    return tuple(ordered)


def _seed(result: Result) -> int:
    return int(result["training_seed"] or 0)


def _episodes(result: Result) -> list[tuple[int, bool]]:
    """What tells them apart: their seeds, and whether they were solved at the start."""
    return [(line["seed"], _solved(line)) for line in result["per_episode"]]


def is_current(cell: Cell) -> bool:
    """Whether the episodes are those the protocol of this name has today.

    Results say what definition they were measured under; of older ones the random stream of the
    first episode tells, as one that is defined anew draws from another. A protocol that is unknown
    here is left to its owner.
    """
    if cell.protocol not in tasks():
        return True
    if not all(map(is_defined_alike, cell.results)):
        return False
    return first_stream(cell.protocol, cell.results[0]["seed"]) == _episodes(cell.results[0])[0][0]


@dataclass(frozen=True)
class Difference:
    """How much better ``ours`` did than ``theirs`` on the ``episodes`` both played."""

    ours: str
    theirs: str
    episodes: int
    estimate: Estimate


def paired(ours: Cell, theirs: Cell, key: str) -> Difference | None:
    """The difference in ``key`` on the first episodes, which both played; None if none is shared.

    One may have played fewer; they still are the same tasks. Where both act with the same
    checkpoints a training that turned out well is so for both, and is drawn for both.
    """
    shared = min(ours.episodes, theirs.episodes)
    first, second = (_episodes(cell.results[0])[:shared] for cell in (ours, theirs))
    a, b = ours.values(key, shared), theirs.values(key, shared)
    if first != second or not a.size:
        return None
    alike = ours.checkpoints == theirs.checkpoints and all(ours.checkpoints)
    found = mean_over_seeds(a - b) if alike else difference_over_seeds(a, b)
    return Difference(ours.controller, theirs.controller, a.shape[1], found)
