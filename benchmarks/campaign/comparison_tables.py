"""Tables of a comparison for the page: what was reached, for what price, and who was better."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from agent.reporting.html import group_row, row, table, with_note
from agent.reporting.markup import Markup
from agent.reporting.results_table import OURS
from benchmarks.campaign.cell_words import GOALS_HEAD, NOTHING, RETURNS_HEAD, goal_row, return_row
from benchmarks.campaign.cells import RETURN, Cell, Difference, paired

DIFFERENCE_HEADER = (("Against", ""), ("First touch", "points"), ("Held", "points"))


def goals_table(cells: Sequence[Cell], about: Mapping[str, str]) -> Markup:
    """First touch, held, precision, time and price, grouped by protocol."""
    return _grouped(cells, about, GOALS_HEAD, goal_row)


def returns_table(cells: Sequence[Cell], about: Mapping[str, str]) -> Markup:
    """Mean and interquartile mean of the return, and the price, grouped by protocol."""
    return _grouped(cells, about, RETURNS_HEAD, return_row)


def differences_table(cells: Sequence[Cell]) -> Markup:
    """What the world model has over each other controller, in points, on shared episodes.

    Points are per cent of episodes, or of the return where there is a reward. Wherever the whole
    interval is on one side of nothing, the winner is named.
    """
    lines: list[Markup] = []
    for protocol in dict.fromkeys(cell.protocol for cell in cells):
        mine = {cell.controller: cell for cell in cells if cell.protocol == protocol}
        ours = mine.pop(OURS, None)
        if ours is not None and mine:
            lines.append(group_row(f"Protocol {protocol}", len(DIFFERENCE_HEADER)))
            lines += [_difference_row(ours, theirs) for theirs in mine.values()]
    return table([with_note(name, note) for name, note in DIFFERENCE_HEADER], lines)


def _difference_row(ours: Cell, theirs: Cell) -> Markup:
    if ours.has_return and theirs.has_return:
        return row(theirs.controller, _difference(paired(ours, theirs, RETURN), 1.0, " of 1000"))
    found = [paired(ours, theirs, key) for key in ("first_touch", "held")]
    return row(theirs.controller, *(_difference(one, 100.0) for one in found))


def _difference(found: Difference | None, unit: float, of: str = "") -> str:
    if found is None:
        return with_note(NOTHING, "no episode in common")
    estimate = found.estimate
    value, low, high = (unit * x for x in (estimate.value, estimate.low, estimate.high))
    verdict = f"{low:+.1f} to {high:+.1f}, {found.episodes} episodes"
    if low == high == 0.0:
        verdict = f"the same in all {found.episodes} episodes"
    elif low > 0.0 or high < 0.0:
        verdict += f": {found.ours if low > 0.0 else found.theirs} is better"
    return with_note(f"{value:+.1f}{of}" if value else f"0.0{of}", verdict)


def _grouped(
    cells: Sequence[Cell],
    about: Mapping[str, str],
    header: Sequence[str],
    words: Callable[[Cell], list[str]],
) -> Markup:
    lines: list[Markup] = []
    for protocol in dict.fromkeys(cell.protocol for cell in cells):
        lines.append(group_row(f"Protocol {protocol}", len(header)))
        for cell in (cell for cell in cells if cell.protocol == protocol):
            name = with_note(cell.controller, about.get(cell.controller, ""))
            figures = [_noted(text) for text in words(cell)[1:]]
            lines.append(row(name, *figures, emphasised=cell.controller == OURS))
    return table(header, lines)


def _noted(text: str) -> str:
    """An interval in brackets becomes a note below its number."""
    value, _, interval = text.partition(" (")
    return with_note(value, interval.removesuffix(")")) if interval else text
