"""Figures of the studies ``law`` and ``bound``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from agent.reporting.style import (
    BLUE,
    GREEN,
    INK,
    MUTED,
    ORANGE,
    SMALL_PT,
    WIDTH_IN,
    dress,
    legend,
    new_figure,
)

Rows = Sequence[Mapping[str, Any]]
METHODS = {"lejepa": BLUE, "whitening": ORANGE, "fastica": GREEN}
NAMES = {"lejepa": "LeJEPA", "whitening": "whitening", "fastica": "FastICA"}
LEAST = 1e-6


def law_figure(summary: Mapping[str, Any], rows: Rows) -> Figure:
    """Above what a line misses, 1 − R², below MCC against the shape α; a column for each mixing."""
    mixings = list(dict.fromkeys(row["mixing"] for row in rows))
    figure = new_figure(WIDTH_IN, 4.8)
    grid = figure.subplots(2, len(mixings), sharex=True, sharey="row", squeeze=False)
    for column, mixing in enumerate(mixings):
        for line, name in enumerate(("r2", "mcc")):
            axes = grid[line, column]
            dress(axes, mixing if line == 0 else "", "shape α" if line else "")
            _curves(axes, summary["table"], mixing, name)
    for line, name in enumerate(("1 − linear R²", "MCC")):
        grid[line, 0].set_ylabel(name, color=MUTED)
    grid[0, 0].set_yscale("log")
    figure.legend(
        *grid[1, 0].get_legend_handles_labels(), loc="outside upper center", ncols=3,
        frameon=False, fontsize=SMALL_PT,
    )  # fmt: skip
    return figure


def _curves(axes: Axes, table: Mapping[str, Any], mixing: str, name: str) -> None:
    for method, colour in METHODS.items():
        found = table.get(method, {}).get(mixing)
        if found is None:
            continue
        shapes = sorted(found, key=float)
        means = [found[shape][name]["mean"] for shape in shapes]
        places = [float(shape) for shape in shapes]
        shown = [max(LEAST, 1 - mean) for mean in means] if name == "r2" else means
        axes.plot(places, shown, "o-", color=colour, markersize=4, label=NAMES[method])
    axes.set_xscale("log", base=2)
    axes.axvline(2.0, color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)))


def bound_figure(summary: Mapping[str, Any], rows: Rows) -> Figure:
    """Error against bound for every run, and R² over the grid of λ and ρ."""
    figure = new_figure(WIDTH_IN, 3.8)
    left, right = figure.subplots(1, 2)
    _errors_and_bounds(left, rows)
    _grid(right, rows)
    return figure


def _errors_and_bounds(axes: Axes, rows: Rows) -> None:
    dress(axes, "The bound holds below the line", "bound", "error, min over Q of E‖h − Qz‖²")
    bounds = [max(LEAST, row["bound"]) for row in rows]
    errors = [max(LEAST, row["procrustes_error"]) for row in rows]
    axes.loglog(bounds, errors, "o", color=BLUE, alpha=0.7)
    ends = (min(*bounds, *errors), max(*bounds, *errors))
    axes.plot(ends, ends, color=INK, linewidth=1.0)


def _grid(axes: Axes, rows: Rows) -> None:
    dress(axes, "What is recovered", "λ", "linear R²")
    for number, rho in enumerate(sorted({row["rho"] for row in rows})):
        found = [row for row in rows if row["rho"] == rho]
        weights = sorted({row["weight"] for row in found})
        means = [_mean(row["r2"] for row in found if row["weight"] == w) for w in weights]
        shade = 0.25 + 0.75 * number / 6
        axes.plot(weights, means, "o-", color=BLUE, alpha=shade, markersize=4, label=f"ρ = {rho}")
    axes.set_xscale("log")
    legend(axes)


def _mean(values: Any) -> float:
    numbers: list[float] = list(values)
    return sum(numbers) / len(numbers)
