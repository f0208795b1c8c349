"""Figure of the study ``closed-loop``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from agent.reporting.style import (
    MUTED,
    SERIES,
    WIDTH_IN,
    dress,
    legend,
    new_figure,
    reference_line,
)

NAMES = {
    "nothing": "nothing spoilt",
    "steps": "fewer steps",
    "pairs": "fewer pairs",
    "uniform": "uniform law",
    "rates": "unequal rates",
}
MARKS = {"lejepa": "full", "whitening": "none"}
LEAST, MOST = 1e-4, 1e3  # a logarithm has no place for what is perfect; what flies off is at MOST


def closed_loop_figure(summary: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> Figure:
    """Excess cost against what no rotation recovers, a mark a run; hollow ones are whitening.

    Runs whose point flies off are drawn at ``MOST``.
    """
    figure = new_figure(WIDTH_IN, 3.8)
    axes = figure.subplots()
    dress(
        axes,
        "What recovery buys (hollow: whitening)",
        "not recovered by a rotation, 1 − R²",
        "cost above the optimum, share of it (▴: 10³ or more)",
    )
    for (spoilt, name), colour in zip(NAMES.items(), SERIES, strict=False):
        for objective, fill in MARKS.items():
            mine = [r for r in rows if (r["spoilt"], r["objective"]) == (spoilt, objective)]
            x = [max(LEAST, 1 - row["rotation_r2"]) for row in mine]
            y = [max(LEAST, row["cost_ratio"] - 1) for row in mine]
            label = name if objective == "lejepa" else None
            for mark, most in (("o", False), ("^", True)):
                shown = [(a, min(b, MOST)) for a, b in zip(x, y, strict=True) if (b > MOST) is most]
                places = list(zip(*shown, strict=True)) or [(), ()]
                axes.plot(*places, mark, color=colour, fillstyle=fill, markersize=5, label=label)
                label = None
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.axvline(0.01, color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)))
    reference_line(axes, 0.05, "asked where R² ≥ .99")
    idle = summary["doing_nothing"]["mean"] - 1
    reference_line(axes, idle, "no force at all")
    legend(axes, where="best")
    return figure
