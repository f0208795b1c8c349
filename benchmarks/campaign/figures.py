"""Figures of a comparison: success and return with intervals, and learning."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from agent.errors import UserError
from agent.reporting.bars import results_bars
from agent.reporting.style import (
    BLUE,
    INK,
    MUTED,
    SERIES,
    SKY,
    SMALL_PT,
    TEXT_PT,
    WIDTH_IN,
    dress,
    legend,
    new_figure,
    plain_text,
)
from benchmarks.campaign.cells import Cell
from benchmarks.campaign.ordering import names_in
from benchmarks.campaign.resampling import Estimate

PANELS = 3  # side by side
BAR_HEIGHT = 0.36
MARKERS = "osD^vP*X"
TOLD_GOALS = ("sac", "sac-brief")


def rates_figures(cells: Sequence[Cell]) -> list[Figure]:
    """First touch and held of every controller, three protocols a figure."""
    protocols = list(dict.fromkeys(cell.protocol for cell in cells))
    groups = [protocols[i : i + PANELS] for i in range(0, len(protocols), PANELS)]
    return [
        results_bars([_as_result(cell) for cell in cells if cell.protocol in group])
        for group in groups
    ]


def _as_result(cell: Cell) -> dict[str, Any]:
    rates = {key: _rate(cell.rate(key)) for key in ("first_touch", "held")}
    return {"protocol": cell.protocol, "controller": cell.controller, **rates}


def _rate(found: Estimate | None) -> dict[str, float | None]:
    if found is None:
        return {"rate": None, "low": None, "high": None}
    values = asdict(found)
    return {"rate": values.pop("value"), **values}


def returns_figure(cells: Sequence[Cell]) -> Figure:
    """Mean and interquartile mean of the return, one panel a protocol.

    Raises:
        UserError: if there is no cell.
    """
    if not cells:
        raise UserError("expected returns to draw, got none: run benchmarks.campaign measure")
    protocols = list(dict.fromkeys(cell.protocol for cell in cells))
    names = names_in(cells)
    figure = new_figure(WIDTH_IN, 0.55 * len(names) + 1.1)
    panels = figure.subplots(1, len(protocols), squeeze=False, sharey=True)[0]
    for axes, protocol in zip(panels, protocols, strict=True):
        dress(axes, plain_text(protocol), "return, of 1000", grid="x")
        for cell in (cell for cell in cells if cell.protocol == protocol):
            _return_bars(axes, names.index(cell.controller), cell)
        axes.set_yticks(range(len(names)), [plain_text(name) for name in names])
        axes.tick_params(axis="y", labelsize=TEXT_PT, labelcolor=INK, length=0)
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.set_xlim(0, 1150)
    return figure


def _return_bars(axes: Axes, place: int, cell: Cell) -> None:
    for number, (found, colour) in enumerate(zip(cell.mean_return(), (SKY, BLUE), strict=True)):
        y = place + (number - 0.5) * BAR_HEIGHT
        axes.barh(y, found.value, height=BAR_HEIGHT * 0.92, color=colour)
        axes.plot([found.low, found.high], [y, y], color=INK, linewidth=1.0)
        axes.annotate(
            f"{found.value:.0f}", (max(found.high, found.value), y), xytext=(4, 0),
            textcoords="offset points", va="center", fontsize=SMALL_PT, color=MUTED,
        )  # fmt: skip


def points_beside(cells: Sequence[Cell]) -> list[Mapping[str, Any]]:
    """Points of SAC with hindsight where curves are of the reward: what being told goals buys.

    Its curve is measured on goals alone; on the reward there are its two whole trainings.
    """
    return [
        {**run, "controller": TOLD_GOALS[0]}
        for cell in cells
        if cell.controller in TOLD_GOALS and cell.has_return
        for run in cell.results
    ]


def learning_figures(
    points: Sequence[Mapping[str, Any]], cells: Sequence[Cell] = ()
) -> Iterator[tuple[str, Figure]]:
    """Each protocol that has a point, with its figure, and what :func:`points_beside` adds."""
    shown = [*points, *points_beside(cells)]
    for protocol in dict.fromkeys(point["protocol"] for point in points):
        yield protocol, learning_figure(shown, protocol)


def learning_figure(points: Sequence[Mapping[str, Any]], protocol: str) -> Figure:
    """One protocol against env steps and against the wall clock of training.

    Thin lines are training seeds, thick ones their mean where every seed has the point. A
    controller has one colour on all protocols.

    Raises:
        UserError: if no point is on ``protocol``.
    """
    mine = [point for point in points if point["protocol"] == protocol]
    if not mine:
        raise UserError(
            f"expected points on {protocol} to draw, got none: run benchmarks.campaign curves"
        )
    is_return = any(point["episode_return"] is not None for point in mine)
    figure = new_figure(WIDTH_IN, 3.4)
    left, right = figure.subplots(1, 2, sharey=True)
    what = "return, of 1000" if is_return else "held, % of episodes"
    dress(left, plain_text(protocol), "env steps, log scale", what)
    dress(right, "", "wall clock of training [min], log scale")
    for axes, key, unit in ((left, "env_steps", 1.0), (right, "training_s", 60.0)):
        axes.set_xscale("log")
        axes.xaxis.set_minor_formatter(NullFormatter())  # they would overlap
        axes.set_ylim(0, 1050 if is_return else 105)
        for number, name in enumerate(sorted({point["controller"] for point in points})):
            seeds = _by_seed(mine, name)
            if seeds:
                _lines(axes, seeds, key, unit, number, plain_text(name))
    legend(left)
    return figure


def _by_seed(points: Sequence[Mapping[str, Any]], name: str) -> list[list[Mapping[str, Any]]]:
    """The points of each training seed of controller ``name``."""
    seeds: dict[int, list[Mapping[str, Any]]] = {}
    for point in points:
        if point["controller"] == name:
            seeds.setdefault(point["training_seed"], []).append(point)
    return list(seeds.values())


def _lines(
    axes: Axes,
    seeds: Sequence[Sequence[Mapping[str, Any]]],
    key: str,
    unit: float,
    number: int,
    label: str,
) -> None:
    marker = MARKERS[number % len(MARKERS)]
    look: dict[str, Any] = {"color": SERIES[number % len(SERIES)], "marker": marker}
    for points in seeds:
        x, y = [_price(point, key, unit) for point in points], [score(point) for point in points]
        axes.plot(x, y, markersize=3, linewidth=0.7, alpha=0.6, **look)
    means = [
        (np.mean([_price(p, key, unit) for p in same]), np.mean([score(p) for p in same]))
        for same in _shared(seeds)
    ]
    x_mean, y_mean = zip(*means, strict=True) if means else ((), ())
    axes.plot(x_mean, y_mean, markersize=4, linewidth=1.8, label=label, **look)


def _shared(seeds: Sequence[Sequence[Mapping[str, Any]]]) -> list[list[Mapping[str, Any]]]:
    """The points of all seeds at each number of env steps that every seed has, in order."""
    by_steps = [{point["bought_with"]["env_steps"]: point for point in points} for points in seeds]
    common = set.intersection(*map(set, by_steps))
    return [[points[steps] for points in by_steps] for steps in sorted(common)]


def _price(point: Mapping[str, Any], key: str, unit: float) -> float:
    value = point["bought_with"][key]
    return float("nan") if value is None else value / unit


def score(point: Mapping[str, Any]) -> float:
    """What a curve shows: the mean return where there is one, else the rate of held in per cent."""
    if point["episode_return"] is not None:
        return float(point["episode_return"]["mean"])
    rate = point["held"]["rate"]
    return float("nan") if rate is None else 100.0 * rate
