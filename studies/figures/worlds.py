"""Figures of the studies ``worlds`` and ``scaling``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from agent.reporting.style import (
    BLUE,
    GREEN,
    MUTED,
    ORANGE,
    WIDTH_IN,
    dress,
    legend,
    new_figure,
    reference_line,
)
from studies.learning import EPSILON

Rows = Sequence[Mapping[str, Any]]
COLOURS = {"lejepa": BLUE, "whitening": ORANGE, "infonce": GREEN}
NAMES = {"lejepa": "LeJEPA", "whitening": "whitening", "infonce": "InfoNCE"}
LEAST_UNEXPLAINED = 1e-6  # a logarithm has no place for a perfect score


def unexplained(r2: float) -> float:
    """1 − R², drawn on a logarithmic axis, where .99 and .9999 are far apart."""
    return max(LEAST_UNEXPLAINED, 1 - r2)


def worlds_figure(summary: Mapping[str, Any], rows: Rows) -> Figure:
    """1 − R² of each seed, mixing and objective, with that of the raw observations.

    Hollow: under torch's ε in the last BatchNorm.
    """
    figure = new_figure(WIDTH_IN, 3.4)
    axes = figure.subplots(1, len(summary["table"]), sharey=True)
    for number, (one, mixing) in enumerate(zip(axes, summary["table"], strict=True)):
        _mixing(one, mixing, [row for row in rows if row["mixing"] == mixing])
        one.set_ylabel("unexplained, 1 − R²" if number == 0 else "", color=MUTED)
    return figure


def _mixing(axes: Axes, mixing: str, rows: Rows) -> None:
    dress(axes, mixing)
    for row in rows:
        kind, value = row["objective"], unexplained(row["r2"])
        fill = "full" if row["epsilon"] == EPSILON else "none"
        place = list(COLOURS).index(kind)
        axes.plot(place, value, "o", color=COLOURS[kind], alpha=0.8, fillstyle=fill)
    axes.set_yscale("log")
    axes.set_xticks(range(len(COLOURS)), list(NAMES.values()), rotation=20)
    axes.set_xlim(-0.5, len(COLOURS) - 0.5)
    observed = sum(row["observed_r2"] for row in rows) / len(rows)
    reference_line(axes, unexplained(observed), "no encoder")
    reference_line(axes, 1e-3, "asked, LeJEPA")


def scaling_figure(summary: Mapping[str, Any], rows: Rows) -> Figure:
    """1 − R² against the number of latents: learned, raw, and as published."""
    figure = new_figure(WIDTH_IN, 3.6)
    axes = figure.subplots()
    dress(axes, "More latents", "latents N", "unexplained, 1 − R²")
    sizes = [row["dimensions"] for row in rows]
    axes.loglog(
        sizes, [unexplained(row["r2"]) for row in rows], "o", color=BLUE, label="LeJEPA, each seed"
    )
    raw = [unexplained(row["observed_r2"]) for row in rows]
    axes.loglog(sizes, raw, "x", color=MUTED, label="raw observations")
    published = ((2, 1024), (1 - 0.999998, 1 - 0.99956))
    axes.loglog(*published, "s", color=ORANGE, label="published, its own mixing")
    axes.set_xscale("log", base=2)
    legend(axes, columns=3, where="lower right")
    return figure
