"""Learning curves as one Markdown table: who had reached what after how much experience."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean, median
from typing import Any

from agent.reporting.results_table import OURS, duration
from benchmarks.campaign.cell_words import (
    NOTHING,
    TIMES,
    UNMEASURED,
    is_uncommitted,
    markdown_table,
    thousands,
)

Point = Mapping[str, Any]
HEAD = (
    "protocol", "controller", "env steps", f"seeds {TIMES} episodes", "touch %", "held %",
    "return", "training",
)  # fmt: skip


def curve_table(points: Sequence[Point]) -> str:
    """Means over the seeds that have the point, at the world model's env steps.

    Of the other controllers the point nearest to each of these on a log scale is shown.
    """
    protocols = sorted({point["protocol"] for point in points})
    rows = [row for name in protocols for row in _rows(points, name)]
    if not rows:
        return f"No learning curve {UNMEASURED}"
    return f"{markdown_table(HEAD, rows)}\n\n{_note(points)}"


def _rows(points: Sequence[Point], protocol: str) -> Iterator[list[str]]:
    names = sorted({point["controller"] for point in points}, key=lambda n: (n != OURS, n))
    mine = [point for point in points if point["protocol"] == protocol]
    by_name = {name: _by_steps(mine, name) for name in names}
    wanted = sorted(by_name.get(OURS) or {s for found in by_name.values() for s in found})
    for name, found in by_name.items():
        nearest = [min(found, key=lambda s: abs(math.log(s / steps))) for steps in wanted if found]
        for steps in dict.fromkeys(nearest):
            yield [f"`{protocol}`", name, thousands(steps), *_figures(found[steps])]


def _by_steps(points: Sequence[Point], name: str) -> dict[int, list[Point]]:
    found: dict[int, list[Point]] = {}
    for point in points:
        if point["controller"] == name:
            found.setdefault(point["bought_with"]["env_steps"], []).append(point)
    return found


def _figures(points: Sequence[Point]) -> list[str]:
    returns = [p["episode_return"]["mean"] for p in points if p["episode_return"]]
    seconds = [s for p in points if (s := p["bought_with"]["training_s"]) is not None]
    episodes = sorted({point["episodes"] for point in points})
    return [
        f"{len(points)} {TIMES} {' or '.join(map(str, episodes))}",
        *(_percent([point[key]["rate"] for point in points]) for key in ("first_touch", "held")),
        f"{fmean(returns):.0f}" if returns else NOTHING,
        duration(median(seconds)) if seconds else NOTHING,
    ]


def _percent(rates: Sequence[float | None]) -> str:
    known = [rate for rate in rates if rate is not None]
    return f"{100 * fmean(known):.1f}" if known else NOTHING


def _note(points: Sequence[Point]) -> str:
    several = sum(is_uncommitted(point["commit"]) for point in points)
    said = f"; {several} were measured with uncommitted changes" if several else ""
    return f"{len(points)} points in all are in `results/curves/runs.csv`{said}."
