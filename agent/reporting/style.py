"""How every figure looks, and turning one into a PNG.

Figures are made without pyplot, so nothing global changes and nothing needs a display. Colours are
Okabe and Ito's, which the colour-blind can tell apart.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import LogLocator, NullFormatter

from agent.files.durable import write_result
from agent.files.ours import signed
from agent.reporting.markup import writable

INK = "#24292f"
MUTED = "#6e7781"
GRID = "#d8dee4"
BLUE, ORANGE, GREEN, RED = "#0072b2", "#e69f00", "#009e73", "#d55e00"
SKY, PURPLE = "#56b4e9", "#cc79a7"
SERIES = (BLUE, ORANGE, GREEN, RED, PURPLE, SKY)
WIDTH_IN = 9.0  # of every figure, so that letters have one size in a report
TITLE_PT, TEXT_PT, SMALL_PT = 10.0, 9.0, 8.0
LegendPlace = Literal["best", "lower right", "center right"]
_DECADES = 2.5  # fewer are numbered in between
PNG_DPI = 200  # sharp on a screen with two pixels a point


def new_figure(width_in: float, height_in: float, padding_in: float = 0.08) -> Figure:
    """An empty figure whose parts make room for each other, ``padding_in`` around each."""
    figure = Figure(figsize=(width_in, height_in), facecolor="white")
    figure.set_layout_engine(ConstrainedLayoutEngine(w_pad=padding_in, h_pad=padding_in))
    FigureCanvasAgg(figure)
    return figure


def dress(
    axes: Axes,
    title: str,
    x_label: str = "",
    y_label: str = "",
    grid: Literal["x", "y"] | None = "y",
) -> None:
    """Title left, quiet frame, grid lines across the ``grid`` axis or none."""
    axes.set_title(title, loc="left", fontsize=TITLE_PT, fontweight="bold", color=INK)
    axes.set_xlabel(x_label, fontsize=TEXT_PT, color=MUTED)
    axes.set_ylabel(y_label, fontsize=TEXT_PT, color=MUTED)
    axes.tick_params(colors=MUTED, labelsize=SMALL_PT, length=3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GRID)
    axes.set_axisbelow(True)
    if grid is not None:
        axes.grid(axis=grid, color=GRID, linewidth=0.6)


def legend(axes: Axes, columns: int = 1, where: LegendPlace = "best") -> None:
    """A legend without a box, in small print."""
    axes.legend(fontsize=SMALL_PT, frameon=False, ncols=columns, loc=where, labelcolor=INK)


def log_scale(axes: Axes) -> None:
    """A logarithmic y axis of what is drawn already, with plain numbers, enough of them to read it
    by: decades, and 2 and 5 of each where there are few.
    """
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    few = low > 0 and high < low * 10**_DECADES
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if few else (1.0,)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter(NullFormatter())


def reference_line(axes: Axes, y: float, text: str) -> None:
    """A dashed level with its meaning written at the right end."""
    axes.axhline(y, color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)))
    axes.annotate(
        text, (1.0, y), xycoords=("axes fraction", "data"), xytext=(-2, 2),
        textcoords="offset points", ha="right", va="bottom", fontsize=SMALL_PT, color=MUTED,
    )  # fmt: skip


def plain_text(name: str) -> str:
    """A name is text, never a formula: matplotlib reads mathematics between dollar signs."""
    return writable(name).replace("$", r"\$")


def bare(axes: Sequence[Axes]) -> None:
    """No ticks and no frame, for pictures."""
    for one in axes:
        one.set_xticks([])
        one.set_yticks([])
        one.spines[:].set_visible(False)


def png_bytes(figure: Figure) -> bytes:
    """The figure as a PNG file; the same figure always gives the same bytes."""
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=PNG_DPI, metadata={"Software": None})
    return content.getvalue()


def save_png(figure: Figure, path: Path) -> Path:
    """Write the figure to ``path``; UserError or MachineError if nothing can be written there."""
    return write_result(path, signed(png_bytes(figure), ".png"))
