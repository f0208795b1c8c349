"""Figure of the study ``conditions``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from agent.reporting.style import BLUE, MUTED, ORANGE, WIDTH_IN, dress, legend, new_figure

COLOURS = {"lejepa": BLUE, "whitening": ORANGE}
NAMES = {"lejepa": "LeJEPA", "whitening": "whitening"}
TITLES = {
    "mean": ("drifting mean", "drift / spread", 0.0),
    "variance": ("drifting variance", "log spread, ±", 0.0),
    "noise": ("multiplicative noise", "share of noise ∝ z²", 0.0),
    "rates": ("unequal rates", "log ρ₂ / log ρ₁", 1.0),
    "dimension": ("encoder outputs", "outputs, for 2 latents", 2.0),
}


def conditions_figure(summary: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> Figure:
    """R² against the amount by which each condition is broken; dashed, the worse of two latents."""
    figure = new_figure(WIDTH_IN, 3.2)
    axes = figure.subplots(1, len(TITLES), sharey=True)
    for one, (name, (title, label, whole)) in zip(axes, TITLES.items(), strict=True):
        dress(one, title, label)
        found = {whole: summary["whole"]}
        found |= {float(amount): means for amount, means in summary["table"][name].items()}
        _curves(one, found)
    axes[0].set_ylabel("linear R²", color=MUTED)
    axes[3].axvline(2.0, color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)))
    legend(axes[-1], where="best")
    return figure


def _curves(axes: Axes, found: Mapping[float, Mapping[str, Any]]) -> None:
    amounts = sorted(found)
    for kind, colour in COLOURS.items():
        means = [found[amount][kind] for amount in amounts]
        axes.plot(amounts, [m["r2"]["mean"] for m in means], "o-", color=colour,
                  markersize=4, label=NAMES[kind])  # fmt: skip
        worse = [min(m["r2_first"]["mean"], m["r2_second"]["mean"]) for m in means]
        axes.plot(amounts, worse, color=colour, linewidth=0.8, linestyle=(0, (4, 3)))
