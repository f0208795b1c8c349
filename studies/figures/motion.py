"""The study of real motion: R² against D, stride and the number of episodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from agent.reporting.style import (
    MUTED,
    SERIES,
    SMALL_PT,
    WIDTH_IN,
    dress,
    legend,
    new_figure,
)
from studies.motion_summary import HEADLINE, is_angular

Summary = Mapping[str, Any]
Rows = Sequence[Mapping[str, Any]]
OBJECTIVES = {
    "lejepa": "LeJEPA", "subspaces": "LeJEPA in planes", "whitening": "hard whitening",
    "vicreg": "VICReg",
}  # fmt: skip
BEST = "slowest functions"
R2_LABEL = "linear R² of the worst coordinate"


def trajectories_figure(summary: Summary, rows: Rows) -> Figure:
    """Above: R² by D and objective, a panel a source. Below: by stride, and by episodes."""
    figure = new_figure(WIDTH_IN, 6.0)
    grid = figure.add_gridspec(2, 4)
    first = None
    for column, source in enumerate(HEADLINE):
        by_objective = summary["by_dimension"][source]
        axes = figure.add_subplot(grid[0, column], sharey=first)
        first = first or axes
        targets = "angles" if is_angular(source) else "sin, cos"
        dress(axes, f"{source}: {targets}", "outputs D")
        slow = summary["slowest"][source][str(HEADLINE[source]["stride"])]
        ticks = _ticks([slow, *by_objective.values()])
        _best(axes, slow, ticks, MUTED, BEST)
        for (kind, label), colour in zip(OBJECTIVES.items(), SERIES, strict=False):
            _line(axes, by_objective.get(kind, {}), ticks, label, colour)
    assert first is not None
    first.set_ylabel(R2_LABEL)
    first.set_ylim(-0.05, 1.05)
    figure.legend(
        *_every_objective(figure.axes), loc="outside upper center", ncols=5, frameon=False,
        fontsize=SMALL_PT,
    )  # fmt: skip
    below = {"by_stride": "stride [env steps of 0.04 s]", "by_episodes": "episodes of pairs"}
    titles = ("Each source in its own cell", "How much motion it takes")
    for place, ((part, label), title) in enumerate(zip(below.items(), titles, strict=True)):
        axes = figure.add_subplot(grid[1, 2 * place : 2 * place + 2], sharey=first)
        dress(axes, title, label, R2_LABEL)
        _by_source(axes, summary, part)
        if part == "by_episodes":
            _scored_as_published(axes, summary)
    return figure


def _every_objective(panels: Sequence[Axes]) -> tuple[list[Artist], list[str]]:
    """Handles and labels of all that any of the panels shows, each once."""
    found = {label: handle for axes in panels
             for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}  # fmt: skip
    return list(found.values()), list(found)


def _scored_as_published(axes: Axes, summary: Summary) -> None:
    """The worse joint of ``gaussian`` on posed arms, and what is published of it."""
    found = summary["by_episodes"]["gaussian"]
    ticks = [text.get_text() for text in axes.get_xticklabels()]
    means = [entry["worst_on_poses"]["mean"] for entry in found.values()]
    label = "gaussian, on posed arms"
    axes.plot([ticks.index(tick) for tick in found], means, "s:", color=SERIES[0],
              markersize=4, label=label)  # fmt: skip
    axes.axhline(min(summary["published_r2"]), color=MUTED, linestyle="--", linewidth=1.0,
                 label="published, on posed arms, worse joint")  # fmt: skip
    legend(axes, where="lower right")


def _best(axes: Axes, found: Summary, ticks: list[str], colour: str, label: str = "_") -> None:
    """What the slowest functions of the joints allow, whatever the network."""
    places = [ticks.index(tick) for tick in found]
    axes.plot(places, list(found.values()), "--", color=colour, linewidth=1.0, label=label)


def _by_source(axes: Axes, summary: Summary, part: str) -> None:
    """A line a source; dashed, what the slowest functions of its joints allow."""
    found = summary[part]
    many = {source: entries for source, entries in found.items() if len(entries) > 1}
    slow = summary["slowest"] if part == "by_stride" else {}
    ticks = _ticks([*many.values(), *slow.values()])
    for source, colour in zip(found, SERIES, strict=False):
        if slow:
            outputs = str(HEADLINE[source]["latent_dim"])
            widest = {stride: by[outputs] for stride, by in slow[source].items()}
            _best(axes, widest, ticks, colour)
        _line(axes, many.get(source, {}), ticks, source, colour)
    if slow:
        axes.plot([], [], "--", color=MUTED, linewidth=1.0, label=BEST)
    legend(axes, where="lower left" if slow else "lower right")


def _ticks(found: Any) -> list[str]:
    return sorted({value for entries in found for value in entries}, key=int)


def _line(axes: Axes, found: Summary, ticks: list[str], label: str, colour: str) -> None:
    """Means over seeds at their place among ``ticks``, with intervals where there are any."""
    axes.set_xticks(range(len(ticks)), ticks)
    if not found:
        return
    places = [ticks.index(tick) for tick in found]
    entries = [entry["worst"] for entry in found.values()]
    means = [entry["mean"] for entry in entries]
    style = "o-" if np.ptp(places) < len(places) else "o:"  # dotted over what was not measured
    axes.plot(places, means, style, color=colour, markersize=4, linewidth=1.3, label=label)
    for place, entry in zip(places, entries, strict=True):
        if entry["low"] is not None:
            axes.plot([place, place], [entry["low"], entry["high"]], color=colour, linewidth=1.0)
