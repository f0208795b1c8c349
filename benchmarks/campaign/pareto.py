"""Success against the time of a tick: which planner is best for the time there is.

Rows are those of ``results/planners.json``: ``planner``, ``protocol``, ``decision_ms`` with p50 and
p95, ``held`` and ``first_touch`` with rate, low and high.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, NullLocator

from agent.errors import UserError
from agent.reporting.style import (
    GRID,
    INK,
    MUTED,
    SERIES,
    SMALL_PT,
    WIDTH_IN,
    dress,
    new_figure,
    plain_text,
)

Row = Mapping[str, Any]
REFERENCE = "oracle"  # not one of the competitors: it plans with the true simulator
RATES = (("held", "held, %"), ("first_touch", "first touch, %"))
LABELLED_MS = (2, 5, 10, 20, 50, 100, 200, 500)
TICK_MS = 40.0  # a longer search cannot be done at every control tick


def pareto(rows: Sequence[Row]) -> Figure:
    """One column a protocol, held above first touch, over the median tick on a log scale.

    Budgets of one planner are joined in order of time; whiskers are the Wilson 95 % interval and,
    to the right, the 95th percentile of the tick. The grey stairs are what no other beats.

    Raises:
        UserError: if there is no row.
    """
    if not rows:
        raise UserError("expected rows to draw, got none: run benchmarks/control.py first")
    protocols = list(dict.fromkeys(row["protocol"] for row in rows))
    planners = sorted({row["planner"] for row in rows} - {REFERENCE})
    figure = new_figure(WIDTH_IN, 5.4)
    grid = figure.subplots(len(RATES), len(protocols), squeeze=False, sharex=True, sharey=True)
    for panels, (key, label) in zip(grid, RATES, strict=True):
        for axes, protocol in zip(panels, protocols, strict=True):
            chosen = [row for row in rows if row["protocol"] == protocol and _drawable(row, key)]
            _panel(axes, key, planners, chosen)
            below = key == RATES[-1][0]
            title = "" if below else plain_text(protocol)
            left = label if axes is panels[0] else ""
            dress(axes, title, "ms a tick, one core" if below else "", left)
    _legend(figure, planners)
    return figure


def frontier(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Of (cost, gain) points those that no cheaper or equally cheap one equals, cheapest first."""
    kept: list[tuple[float, float]] = []
    for cost, gain in sorted(points, key=lambda point: (point[0], -point[1])):
        if not kept or gain > kept[-1][1]:
            kept.append((cost, gain))
    return kept


def _drawable(row: Row, key: str) -> bool:
    return row["decision_ms"]["p50"] is not None and row[key]["rate"] is not None


def _panel(axes: Axes, key: str, planners: Sequence[str], rows: Sequence[Row]) -> None:
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(LABELLED_MS))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_ylim(-4, 104)
    axes.axvline(TICK_MS, color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)))
    ours = [row for row in rows if row["planner"] != REFERENCE]
    best = frontier([_point(row, key) for row in ours])
    if best:
        axes.step(*zip(*best, strict=True), where="post", color=GRID, linewidth=5.0, zorder=1)
    for planner in (*planners, REFERENCE):
        mine = sorted((row for row in rows if row["planner"] == planner), key=_median_ms)
        if mine:
            _curve(axes, key, planner, _colour(planner, planners), mine)


def _curve(axes: Axes, key: str, planner: str, colour: str, rows: Sequence[Row]) -> None:
    points = [_point(row, key) for row in rows]
    marker = "*" if planner == REFERENCE else "o"
    axes.plot(
        *zip(*points, strict=True), marker, linestyle="-", linewidth=1.2, markersize=5,
        color=colour, label=plain_text(planner), zorder=3,
    )  # fmt: skip
    for (tick_ms, rate), row in zip(points, rows, strict=True):
        low, high = 100 * row[key]["low"], 100 * row[key]["high"]
        axes.plot([tick_ms, tick_ms], [low, high], color=colour, linewidth=0.6, alpha=0.6)
        late_ms = row["decision_ms"]["p95"]
        axes.plot([tick_ms, late_ms], [rate, rate], color=colour, linewidth=0.6, alpha=0.6)


def _legend(figure: Figure, planners: Sequence[str]) -> None:
    names = [*planners, REFERENCE]
    marks = [
        Line2D([], [], color=_colour(name, planners), marker="*" if name == REFERENCE else "o")
        for name in names
    ]
    limit = Line2D([], [], color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)))
    figure.legend(
        [*marks, limit], [*map(plain_text, names), "one control tick"],
        loc="outside lower center", ncols=4, frameon=False, fontsize=SMALL_PT,
    )  # fmt: skip


def _point(row: Row, key: str) -> tuple[float, float]:
    return _median_ms(row), 100 * row[key]["rate"]


def _median_ms(row: Row) -> float:
    return float(row["decision_ms"]["p50"])


def _colour(planner: str, planners: Sequence[str]) -> str:
    return INK if planner == REFERENCE else SERIES[planners.index(planner) % len(SERIES)]
