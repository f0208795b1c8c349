"""Figures of the studies ``circles`` and ``circle-law``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from agent.model.sigreg import GAUSSIAN
from agent.reporting.style import (
    BLUE,
    INK,
    MUTED,
    ORANGE,
    WIDTH_IN,
    dress,
    legend,
    new_figure,
    reference_line,
)
from studies.circles_study import PAIRS, coordinates
from studies.products import predicted_r2

COLOURS = (BLUE, ORANGE)
MARKS, MANY = {"whitening": "o", "lejepa": "s"}, "^"
OBJECTIVES = {"lejepa": BLUE, "whitening": ORANGE}
NAMES = {"whitening": "whitening", "lejepa": "LeJEPA"}
RATIOS = np.geomspace(1.01, 10, 400)


def circles_figure(summary: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> Figure:
    """R² of the faster coordinate by the ratio of rates: lines predicted, marks measured.

    Discs are whitening, triangles the same with more pairs a batch, hollow squares LeJEPA; crosses
    what the batches of whitening choose.
    """
    worlds = list(dict.fromkeys(one["world"] for one in summary["table"]))
    figure = new_figure(WIDTH_IN, 4.6)
    grid = figure.subplots(2, (len(worlds) + 1) // 2, sharex=True, sharey=True)
    for number, (axes, world) in enumerate(zip(grid.flat, worlds, strict=False)):
        below = "rate of the fast one / slow one" if number >= grid.shape[1] else ""
        dress(axes, f"slow {world.replace(', ', ', fast ')}", below)
        _world(axes, [one for one in summary["table"] if one["world"] == world])
    for axes in grid[:, 0]:
        axes.set_ylabel("linear R², fast one", color=MUTED)
    return figure


def _world(axes: Axes, cells: Sequence[Mapping[str, Any]]) -> None:
    widths = sorted({one["outputs"] for one in cells})
    for outputs, colour in zip(widths, COLOURS, strict=False):
        line = [predicted_r2(coordinates(cells[0]["world"], r), outputs)[1] for r in RATIOS]
        axes.plot(RATIOS, line, color=colour, linewidth=1.2, label=f"D = {outputs}")
        for kind, pairs in sorted({(c["objective"], c["pairs"]) for c in cells}):
            wanted = (outputs, kind, pairs)
            mine = [c for c in cells if (c["outputs"], c["objective"], c["pairs"]) == wanted]
            axes.plot([c["ratio"] for c in mine], [c["r2"][1]["mean"] for c in mine],
                      MARKS[kind] if pairs == PAIRS else MANY, color=colour, markersize=5,
                      fillstyle="full" if kind == "whitening" else "none")  # fmt: skip
    white = [c for c in cells if c["objective"] == "whitening"]
    counted = [c["in_batches"][1] for c in white]
    axes.plot([c["ratio"] for c in white], counted, "x", color=INK, markersize=4, zorder=5)
    axes.set_xscale("log")
    axes.set_xticks([1, 2, 4, 8], ["1", "2", "4", "8"])
    axes.minorticks_off()
    axes.set_ylim(-0.05, 1.05)
    legend(axes, where="best")


def circle_law_figure(summary: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> Figure:
    """The worse joint's sine, and sine with cosine, by the spread; SIGReg beside."""
    figure = new_figure(WIDTH_IN, 3.2)
    sine, circle, statistic = figure.subplots(1, 3)
    for axes, name, title in (
        (sine, "r2_sine_worse", "Sine, worse joint"),
        (circle, "r2_circle_worse", "Sine and cosine, worse joint"),
        (statistic, "sigreg", "SIGReg of 512 embeddings"),
    ):
        dress(axes, title, "spread of the angles [rad]")
        for objective, widths in summary["table"].items():
            _by_spread(axes, objective, widths, name)
    for axes in (sine, circle):
        axes.set_ylim(-0.05, 1.05)
        axes.set_ylabel("linear R²", color=MUTED)
    statistic.set_yscale("log")
    reference_line(statistic, GAUSSIAN, "Gaussian")
    legend(sine, where="best")
    return figure


def _by_spread(axes: Axes, objective: str, widths: Mapping[str, Any], name: str) -> None:
    for (outputs, found), dashes in zip(widths.items(), ((0, (4, 3)), "-"), strict=True):
        spreads = sorted(found, key=float)
        means = [found[spread][name]["mean"] for spread in spreads]
        axes.plot([float(spread) for spread in spreads], means, "o", linestyle=dashes,
                  color=OBJECTIVES[objective], markersize=4,
                  label=f"{NAMES[objective]}, D = {outputs}{'' if dashes == '-' else ', dashed'}",
        )  # fmt: skip
