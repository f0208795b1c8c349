"""What ``diagnose`` says at a glance: a line a question, a column a subject, a colour a verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from agent.reporting.style import (
    BLUE,
    GREEN,
    INK,
    MUTED,
    ORANGE,
    SMALL_PT,
    WIDTH_IN,
    bare,
    new_figure,
)

COLOURS = {"holds": GREEN, "roughly": BLUE, "unclear": MUTED, "fails": ORANGE}
LINE_IN, LABELS = 0.26, 1.6  # height of a line, width of the questions in columns


def verdicts_figure(columns: Sequence[tuple[str, Mapping[str, Any]]]) -> Figure:
    """``columns``: a heading and a subject of ``diagnose``'s record each."""
    questions = list(dict.fromkeys(f["question"] for _, one in columns for f in one["findings"]))
    figure = new_figure(WIDTH_IN, LINE_IN * (len(questions) + 2))
    axes = figure.add_subplot()
    bare([axes])
    axes.set_xlim(-LABELS, len(columns))
    axes.set_ylim(len(questions), -1.2)
    for line, question in enumerate(questions):
        axes.text(-LABELS, line + 0.5, question, fontsize=SMALL_PT, color=INK, va="center")
    for place, (heading, subject) in enumerate(columns):
        axes.text(
            place + 0.5, -0.1, heading, fontsize=SMALL_PT, color=INK, ha="center", va="bottom"
        )
        for finding in subject["findings"]:
            line, level = questions.index(finding["question"]), finding["level"]
            box = Rectangle((place + 0.02, line + 0.08), 0.96, 0.84, color=COLOURS[level])
            axes.add_patch(box)
            axes.text(
                place + 0.5, line + 0.5, level, fontsize=SMALL_PT, color="white", ha="center",
                va="center",
            )  # fmt: skip
    return figure
