"""The figure of a sweep: what each varied setting did to the held-out error."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import TYPE_CHECKING

from agent.reporting.style import (
    MUTED,
    SERIES,
    SMALL_PT,
    WIDTH_IN,
    dress,
    legend,
    log_scale,
    new_figure,
    plain_text,
)
from agent.sweep.results import Group, shown_value

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAX_PANELS, MAX_TICKS, MAX_SAID = 6, 8, 8
_DECADE = 10.0  # values that far apart are on a log scale


def figure(found: Sequence[Group], names: Sequence[str]) -> Figure:
    """A panel a setting: a dot a training, a colour a data set, and a line through the means of
    trainings that differ in that setting alone.
    """
    shown = list(names[:MAX_PANELS]) or [""]
    drawn = new_figure(WIDTH_IN, 3.4 * ((len(shown) + 2) // 3))
    panels = drawn.subplots(-(-len(shown) // 3), min(3, len(shown)), squeeze=False, sharey=True)
    for number, (axes, name) in enumerate(zip(panels.flat, shown, strict=False)):
        title = plain_text(name or "all trainings")
        dress(axes, title, "", "" if number % 3 else "held-out error, log scale")
        _draw(axes, found, (name, *names), _placed(axes, found, name))
        log_scale(axes)
    for axes in panels.flat[len(shown) :]:
        axes.set_visible(False)
    legend(panels.flat[0])
    return drawn


def _said(group: Group, name: str) -> str:
    return json.dumps(group.settings.get(name, ""))


def _placed(axes: Axes, found: Sequence[Group], name: str) -> Mapping[str, float]:
    """Where on the axis each value is: a few are named, evenly apart; many numbers have a scale."""
    tried = sorted({_said(group, name) for group in found})
    values = {said: json.loads(said) for said in tried}
    if all(type(value) in (int, float) for value in values.values()):
        tried.sort(key=lambda said: float(values[said]))
        if len(tried) > MAX_TICKS:
            least, most = (float(values[tried[end]]) for end in (0, -1))
            axes.set_xscale("log" if least > 0 and most > _DECADE * least else "linear")
            return {said: float(values[said]) for said in tried}
    axes.set_xticks(range(len(tried)), [plain_text(shown_value(values[said])) for said in tried])
    axes.set_xlim(-0.5, len(tried) - 0.5)
    return {said: float(place) for place, said in enumerate(tried)}


def _draw(
    axes: Axes, found: Sequence[Group], varied: Sequence[str], places: Mapping[str, float]
) -> None:
    """Along the first of what is ``varied``."""
    name = varied[0]
    data = list(dict.fromkeys(group.data for group in found))
    for number, one in enumerate(data):
        axes.plot([], [], "o", color=SERIES[number % len(SERIES)], label=plain_text(one))
    lines: dict[tuple[str, str], list[Group]] = {}
    for group in found:
        others = {key: value for key, value in group.settings.items() if key != name}
        lines.setdefault((group.data, json.dumps(others, sort_keys=True)), []).append(group)
    for (one, _), members in lines.items():
        colour = SERIES[data.index(one) % len(SERIES)]
        means = sorted((places[_said(g, name)], fmean(g.errors)) for g in members if g.errors)
        dots = [(places[_said(g, name)], error) for g in members for error in g.errors]
        axes.plot([x for x, _ in means], [y for _, y in means], color=colour, alpha=0.4)
        if means and len(lines) <= MAX_SAID:
            _say(axes, means[-1], members[0], [one for one in varied[1:] if one != name])
        axes.plot([x for x, _ in dots], [y for _, y in dots], "o", color=colour, alpha=0.7)


def _say(axes: Axes, end: tuple[float, float], member: Group, others: Sequence[str]) -> None:
    """At the end of a line, what its trainings share of the ``others`` that are varied."""
    said = (f"{one.rpartition('.')[2]} {shown_value(member.settings[one])}" for one in others)
    axes.annotate(
        plain_text(", ".join(said)), end, xytext=(4, 0), textcoords="offset points", va="center",
        fontsize=SMALL_PT, color=MUTED,
    )  # fmt: skip
