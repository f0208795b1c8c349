"""The study of pictures of posed arms: R² against the correlation of pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from agent.reporting.style import (
    BLUE,
    MUTED,
    ORANGE,
    WIDTH_IN,
    dress,
    legend,
    new_figure,
)
from studies.reacher_ou_study import is_larger

Summary = Mapping[str, Any]
Rows = Sequence[Mapping[str, Any]]
R2_LABEL = "linear R² on unseen frames"


def reacher_ou_figure(summary: Summary, rows: Rows) -> Figure:
    """R² of raw angles by ρ in both worlds beside the published curve, and each joint's."""
    figure = new_figure(WIDTH_IN, 3.6)
    left, right = figure.subplots(1, 2, sharey=True)
    dress(left, "Joint angles from a picture", "correlation of the pairs", R2_LABEL)
    published = summary["published_r2"]
    left.plot(range(len(published)), published.values(), "s--", color=MUTED, label="published")
    names = {"one-turn": "ours, one turn", "as-published": "ours, as published"}
    for (world, label), colour in zip(names.items(), (BLUE, ORANGE), strict=True):
        _with_intervals(left, summary["r2"][world], "r2_raw", list(published), label, colour)
    for rho, found in summary.get("r2_larger", {}).items():
        left.plot(list(published).index(rho), found["mean"], "*", color=BLUE, markersize=10,
                  label="ours, one turn, larger")  # fmt: skip
    left.axhline(summary["raw_ceiling_as_published"], color=MUTED, linewidth=1.0, linestyle=":",
                 label="as published, no picture tells more")  # fmt: skip
    left.set_xticks(range(len(published)), list(published))
    left.set_ylim(0.6, 1.005)
    legend(left, where="lower right")
    _by_joint(right, rows, list(published))
    return figure


def _by_joint(axes: Axes, rows: Rows, ticks: list[str]) -> None:
    dress(axes, "Each joint, one turn", "correlation of the pairs")
    inside = [row for row in rows if row["world"] == "one-turn" and not is_larger(row)]
    for joint, (name, colour) in enumerate((("shoulder", BLUE), ("wrist", ORANGE))):
        places = [ticks.index(str(row["rho"])) for row in inside]
        values = [row["r2_raw_by_joint"][joint] for row in inside]
        axes.plot(places, values, "o", color=colour, markersize=4, label=name)
    axes.set_xticks(range(len(ticks)), ticks)
    legend(axes, where="lower right")


def _with_intervals(
    axes: Axes, found: Summary, name: str, ticks: list[str], label: str, colour: str
) -> None:
    """Means over seeds against their place among ``ticks``, with intervals where there are any."""
    if not found:
        return
    places = [ticks.index(tick) for tick in found]
    entries = [entry[name] for entry in found.values()]
    means = [entry["mean"] for entry in entries]
    axes.plot(places, means, "o-", color=colour, markersize=4, linewidth=1.3, label=label)
    for place, entry in zip(places, entries, strict=True):
        if entry["low"] is not None:
            axes.plot([place, place], [entry["low"], entry["high"]], color=colour, linewidth=1.0)
