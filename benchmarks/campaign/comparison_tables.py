"""Tables of a comparison for the page: what was reached, for what price, and who was better."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from agent.evaluation.resampling import Estimate
from agent.reporting.html import group_row, row, table, with_note
from agent.reporting.markup import Markup
from agent.reporting.results_table import OURS
from benchmarks.campaign.cell_words import NOTHING, TIMES, env_steps, training
from benchmarks.campaign.cells import RETURN, Cell, Difference, paired

HEADER = (
    ("Controller", ""),
    ("Seeds", f"{TIMES} episodes"),
    ("First touch", "%, interval"),
    ("Held", "%, interval"),
    ("Final error", "rad, median"),
    ("Decision", "ms, p50 / p95"),
    ("Env steps", "training, memory"),
)
RETURN_HEADER = (
    ("Controller", ""),
    ("Seeds", f"{TIMES} episodes"),
    ("Return", "mean, interval"),
    ("Middle half", "mean, interval"),
    ("Decision", "ms, p50 / p95"),
    ("Env steps", "training, memory"),
)
DIFFERENCE_HEADER = (("Against", ""), ("First touch", "points"), ("Held", "points"))


def goals_table(cells: Sequence[Cell], about: Mapping[str, str]) -> Markup:
    """First touch, held, precision, time and price, grouped by protocol."""

    def line(cell: Cell) -> Markup:
        error = cell.median_error()
        return row(
            with_note(cell.controller, about.get(cell.controller, "")),
            f"{len(cell.results)} {TIMES} {cell.episodes}",
            _percent(cell.rate("first_touch")),
            _percent(cell.rate("held")),
            NOTHING if error is None else f"{error:.4f}",
            _decision(cell),
            _price(cell),
            emphasised=cell.controller == OURS,
        )

    return _grouped(cells, HEADER, line)


def returns_table(cells: Sequence[Cell], about: Mapping[str, str]) -> Markup:
    """Mean and interquartile mean of the return, grouped by protocol."""

    def line(cell: Cell) -> Markup:
        mean, middle = cell.mean_return()
        return row(
            with_note(cell.controller, about.get(cell.controller, "")),
            f"{len(cell.results)} {TIMES} {cell.episodes}",
            _with_interval(mean, 0),
            _with_interval(middle, 0),
            _decision(cell),
            _price(cell),
            emphasised=cell.controller == OURS,
        )

    return _grouped(cells, RETURN_HEADER, line)


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
    value, low, high = (unit * x for x in _ends(found.estimate))
    verdict = f"{low:+.1f} to {high:+.1f}, {found.episodes} episodes"
    if low == high == 0.0:
        verdict = f"the same in all {found.episodes} episodes"
    elif low > 0.0 or high < 0.0:
        verdict += f": {found.ours if low > 0.0 else found.theirs} is better"
    return with_note(f"{value:+.1f}{of}" if value else f"0.0{of}", verdict)


def _ends(found: Estimate) -> tuple[float, float, float]:
    return found.value, found.low, found.high


def _grouped(
    cells: Sequence[Cell], header: Sequence[tuple[str, str]], line: Callable[[Cell], Markup]
) -> Markup:
    lines: list[Markup] = []
    for protocol in dict.fromkeys(cell.protocol for cell in cells):
        lines.append(group_row(f"Protocol {protocol}", len(header)))
        lines += [line(cell) for cell in cells if cell.protocol == protocol]
    return table([with_note(name, note) for name, note in header], lines)


def _percent(rate: Estimate | None) -> str:
    if rate is None:
        return NOTHING
    return _with_interval(Estimate(*(100.0 * x for x in _ends(rate))), 1)


def _with_interval(found: Estimate, digits: int) -> str:
    value, low, high = (f"{x:.{digits}f}" for x in _ends(found))
    return with_note(value, f"{low} to {high}")


def _decision(cell: Cell) -> str:
    times = cell.decision_ms()
    return NOTHING if times is None else " / ".join(f"{t:.1f}" for t in times)


def _price(cell: Cell) -> str:
    return with_note(env_steps(cell), training(cell))
