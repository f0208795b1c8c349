"""The study of world models with actions: what is read from them, and what they reach."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from agent.reporting.style import SERIES, SMALL_PT, WIDTH_IN, dress, legend, new_figure

Summary = Mapping[str, Any]
Rows = Sequence[Mapping[str, Any]]
_READ = {
    "r2_wrapped": "Angles from one embedding",
    "r2_sincos": "Sines and cosines from one",
    "r2_velocity": "Velocities from two",
}
LABELS = (("bottom", 4), ("top", -4))  # each behaviour's own side of its dots, in points
_REACHED = {"lewm_held": "Held, lewm", "anywhere_held": "Held, anywhere"}


def action_figure(summary: Summary, rows: Rows) -> Figure:
    """Above: R² by embedding width and data. Below: closed-loop rates against R², a dot a run."""
    figure = new_figure(WIDTH_IN, 6.4)
    grid = figure.add_gridspec(2, 6)
    for column, (name, title) in enumerate(_READ.items()):
        axes = figure.add_subplot(grid[0, 2 * column : 2 * column + 2])
        _by_width(axes, summary["models"], name, title)
    for column, (name, title) in enumerate(_REACHED.items()):
        axes = figure.add_subplot(grid[1, 3 * column : 3 * column + 3])
        _against_r2(axes, summary, rows, name, title)
    return figure


def _by_width(axes: Axes, models: Summary, name: str, title: str) -> None:
    dress(axes, title, "embedding dimension D", "linear R², held out")
    widths = sorted({int(width) for found in models.values() for width in found})
    for (behaviour, found), colour in zip(models.items(), SERIES, strict=False):
        places = [widths.index(int(width)) for width in found]
        means = [entry[name]["mean"] for entry in found.values()]
        axes.plot(places, means, "o-", color=colour, markersize=4, linewidth=1.3, label=behaviour)
    axes.set_xticks(range(len(widths)), [str(width) for width in widths])
    axes.set_ylim(bottom=min(-0.05, axes.get_ylim()[0]), top=1.02)
    legend(axes, where="best")


def _against_r2(axes: Axes, summary: Summary, rows: Rows, name: str, title: str) -> None:
    link = summary["rank_correlation"]["r2_sincos"][name]
    strength = f", rank correlation {link['rho']:.2f} (p = {link['p']:.2g})" if link else ""
    dress(axes, f"{title}{strength}", "linear R² of sines and cosines", "share of episodes")
    for behaviour, colour, (side, above_pt) in zip(summary["models"], SERIES, LABELS, strict=False):
        mine = [r for r in rows if r["behaviour"] == behaviour and not r["collapsed"]]
        x, y = [row["r2_sincos"] for row in mine], [row[name] for row in mine]
        axes.plot(x, y, "o", color=colour, markersize=5, label=behaviour)
        for row in mine:
            place = (row["r2_sincos"], row[name])
            axes.annotate(
                f"{row['latent_dim']}", place, xytext=(0, above_pt), textcoords="offset points",
                fontsize=SMALL_PT, color=colour, ha="center", va=side,
            )  # fmt: skip
    axes.set_ylim(-0.12, 1.08)
    legend(axes, where="best")
