"""Success rates side by side, with their intervals."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from agent.errors import UserError
from agent.reporting import style
from agent.reporting.results_table import Result, protocols_of

RATES = (("first_touch", "first touch", style.SKY), ("held", "held", style.BLUE))
BAR_HEIGHT = 0.36


def results_bars(results: Sequence[Result]) -> Figure:
    """One panel a protocol, one pair of bars a controller: first touch and held, in per cent.

    Whiskers are the Wilson 95 % intervals of the ``results``, dictionaries as
    :func:`agent.evaluation.results.summarise` makes them. UserError if there is none.
    """
    if not results:
        raise UserError("expected results to draw, got none: run evaluate first")
    protocols = protocols_of(results)
    controllers = list(dict.fromkeys(result["controller"] for result in results))
    figure = style.new_figure(style.WIDTH_IN, 0.55 * len(controllers) + 1.1)
    panels = figure.subplots(1, len(protocols), squeeze=False, sharey=True)[0]
    for axes, protocol in zip(panels, protocols, strict=True):
        chosen = [result for result in results if result["protocol"] == protocol]
        _panel(axes, protocol, controllers, chosen)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside lower center", ncols=2, frameon=False, fontsize=style.SMALL_PT
    )
    return figure


def _panel(axes: Axes, protocol: str, controllers: list[str], results: list[Result]) -> None:
    style.dress(axes, style.plain_text(protocol), "% of episodes", grid="x")
    for number, (key, label, colour) in enumerate(RATES):
        known = [result for result in results if result[key]["rate"] is not None]
        where = [
            controllers.index(result["controller"]) + (number - 0.5) * BAR_HEIGHT
            for result in known
        ]
        rates = [100 * result[key]["rate"] for result in known]
        axes.barh(where, rates, height=BAR_HEIGHT * 0.92, color=colour, label=label)
        for y, rate, result in zip(where, rates, known, strict=True):
            _whisker(axes, y, rate, 100 * result[key]["low"], 100 * result[key]["high"])
    axes.set_yticks(range(len(controllers)), [style.plain_text(name) for name in controllers])
    axes.tick_params(axis="y", labelsize=style.TEXT_PT, labelcolor=style.INK, length=0)
    axes.set_ylim(len(controllers) - 0.5, -0.5)  # the first controller on top
    axes.set_xlim(0, 115)
    axes.set_xticks(range(0, 101, 25))


def _whisker(axes: Axes, y: float, rate: float, low: float, high: float) -> None:
    axes.plot([low, high], [y, y], color=style.MUTED, linewidth=0.8, solid_capstyle="butt")
    axes.annotate(
        f"{rate:.1f}", (max(high, rate), y), xytext=(4, 0), textcoords="offset points",
        va="center", fontsize=style.SMALL_PT, color=style.MUTED,
    )  # fmt: skip
