"""Figure of the study ``latent``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from agent.reporting.style import SERIES, WIDTH_IN, dress, legend, new_figure
from envs import USUAL_BEHAVIOUR

Row = Mapping[str, Any]
GROUPS: Mapping[str, tuple[str, ...]] = {
    "SIGReg": ("sigreg",),
    "on two outputs, in planes or\nbehind a projector": ("subspaces", "block", "projector"),
    "all behind a projector": ("behind",),
    "second moments": ("vicreg", "whitening"),
    "none": ("none",),
}
LEAST = 1e-4  # a logarithm has no place for what is perfect
SEEN = {
    "worst_r2": "1 − R², worst coordinate",
    "sigreg": "SIGReg (Gaussian: 1.05)",
    "false_minima": "false minima, share of starts",
    "begun_r2": "1 − R² as joint training begins",
}
TICKS = {"sigreg": (1, 3, 10, 30, 100), "false_minima": (1e-4, 1e-2, 1)}
# Joined by a line where the warm start alone differs.
USUAL = (USUAL_BEHAVIOUR, "sigreg", 0.01, 32, 450)


def latent_figure(summary: Mapping[str, Any], rows: Sequence[Row]) -> Figure:
    """Goals held against what is seen of a latent, a mark a run; a row a world.

    Squares have D < 32, triangles learned from motion that stays near the middle.
    """
    worlds = list(summary["rank_correlation_with_held"])
    figure = new_figure(WIDTH_IN, 2.6 * len(worlds) + 0.4)
    grid = figure.subplots(len(worlds), len(SEEN), sharey=True, squeeze=False)
    for line, world in zip(grid, worlds, strict=True):
        mine = [row for row in rows if row["world"] == world and not row["collapsed"]]
        for axes, (name, label) in zip(line, SEEN.items(), strict=True):
            link = summary["rank_correlation_with_held"][world][name]
            of_what = "ρ(R²)" if name.endswith("r2") else "ρ"
            dress(axes, f"{world}, {of_what} = {link['rho']:.2f}" if link else world, label)
            _marks(axes, mine, name)
            if name == "begun_r2":
                _join(axes, [one for one in summary["table"] if one["world"] == world])
        line[0].set_ylabel("goals held")
    legend(grid[-1][0], where="best")
    return figure


def _join(axes: Axes, cells: Sequence[Row]) -> None:
    """The means of the cells that differ in the length of the warm start alone."""
    kind = ("behaviour", "regulariser", "weight", "latent_dim", "main")
    usual = [one for one in cells if tuple(one[name] for name in kind) == USUAL and "held" in one]
    places = sorted(
        (_place(one["begun_r2"]["mean"], "begun_r2"), one["held"]["mean"]) for one in usual
    )
    axes.plot(*zip(*places, strict=True), color=SERIES[0], linewidth=1.0, zorder=1)


def _marks(axes: Axes, rows: Sequence[Row], name: str) -> None:
    for (group, members), colour in zip(GROUPS.items(), SERIES, strict=False):
        for shape in "os^":
            mine = [r for r in rows if r["regulariser"] in members and _shape(r) == shape]
            x = [_place(row[name], name) for row in mine]
            y = [row["held"] for row in mine]
            label = group if shape == "o" else None
            axes.plot(x, y, shape, color=colour, markersize=4.5, alpha=0.85, label=label)
    axes.set_xscale("log")
    axes.xaxis.set_minor_formatter(NullFormatter())
    if name in TICKS:
        axes.set_xticks(TICKS[name], [f"{0 if t == LEAST else t:g}" for t in TICKS[name]])
    axes.set_ylim(-0.05, 1.05)


def _shape(row: Row) -> str:
    if row["behaviour"] == "gaussian":
        return "^"
    return "s" if row["latent_dim"] < 32 else "o"


def _place(value: float, name: str) -> float:
    return max(LEAST, 1 - value if name.endswith("r2") else value)
