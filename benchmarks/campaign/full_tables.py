"""All tables of results as Markdown, made from cells and from nothing else.

One table a protocol of goals, two of the longer goals, one of dm_control's own reward; a table
without a cell is left out.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.campaign.cell_words import (
    GOALS_HEAD,
    NOTHING,
    RETURNS_HEAD,
    UNMEASURED,
    goal_row,
    is_uncommitted,
    markdown_table,
    return_row,
)
from benchmarks.campaign.cells import Cell
from benchmarks.campaign.ordering import in_order, rank

MAIN = ("lewm", "swift", "anywhere")
VARIANT, AT_REST = "lewm-", "-rest"
NOTE = (
    "Mean over training seeds; in brackets 95 % intervals over seeds and episodes, never "
    "narrower than Wilson's: with one seed they say nothing of other seeds, with three they "
    "are still somewhat too narrow. Ticks: the median, and the largest of the seeds' 95th "
    "percentiles. Env steps are those recorded or played; who learns from pixels holds a "
    "twentieth of them out, the cloned a tenth. Wall clock and memory are medians over the seeds "
    "that recorded them, on one core or two, often beside another job. The clock of "
    "reinforcement learning includes the simulation; that of those from pixels leaves out 20 "
    "to 35 s of recording, for the world model 40 to 60 s of teaching its action head, and for "
    "the cloned, so far, what they trained on after the checkpoint that was kept (up to a third). "
    "Every command, commit, seed and episode is in `results/comparison/`; where a run holds "
    "more episodes than the others, those that all played are shown"
)


def full_tables(cells: Sequence[Cell], controllers: Sequence[str]) -> str:
    """All tables as Markdown, and what to know about them."""
    ordered = in_order(cells, controllers)
    parts = [_goals(name, [cell for cell in ordered if cell.protocol == name]) for name in MAIN]
    parts += [
        _variants(ordered, controllers, at_rest=False),
        _variants(ordered, controllers, at_rest=True),
        _returns([cell for cell in ordered if cell.has_return]),
    ]
    shown = [part for part in parts if part]
    if not shown:
        return f"No result {UNMEASURED}"
    return "\n\n".join(
        [*shown, f"{_shared(cells)}{NOTE}{_uncommitted(cells)}. Machine: {_machines(cells)}."]
    )


def _goals(protocol: str, cells: Sequence[Cell]) -> str:
    if not cells:
        return ""
    return f"**`{protocol}`**\n\n{markdown_table(GOALS_HEAD, list(map(goal_row, cells)))}"


def _variants(cells: Sequence[Cell], controllers: Sequence[str], at_rest: bool) -> str:
    """Controllers down, goal offsets and budgets across."""
    chosen = {
        (cell.controller, cell.protocol): cell
        for cell in cells
        if cell.protocol.startswith(VARIANT) and cell.protocol.endswith(AT_REST) == at_rest
    }
    if not chosen:
        return ""
    names = sorted({name for name, _ in chosen}, key=lambda name: rank(name, controllers))
    protocols = list(dict.fromkeys(protocol for _, protocol in chosen))
    rows = [[name, *(_touch_and_held(chosen.get((name, p))) for p in protocols)] for name in names]
    header = ["controller", *(f"`{_short(name)}`" for name in protocols)]
    title = "Longer goals, starting at rest" if at_rest else "Longer goals"
    return f"**{title}**, touch / held %\n\n{markdown_table(header, rows)}"


def _short(protocol: str) -> str:
    """Without what every column shares; the goals of `lewm` itself are 25 env steps ahead."""
    short = protocol.removesuffix(AT_REST)
    return short.removeprefix(VARIANT) if short.startswith(VARIANT) else "t25-b50"


def _touch_and_held(cell: Cell | None) -> str:
    rates = [cell.rate(key) for key in ("first_touch", "held")] if cell else []
    known = [f"{100 * rate.value:.1f}" for rate in rates if rate]
    return " / ".join(known) or NOTHING


def _returns(cells: Sequence[Cell]) -> str:
    if not cells:
        return ""
    rows = [[f"`{cell.protocol}`", *return_row(cell)] for cell in cells]
    made = markdown_table(("protocol", *RETURNS_HEAD), rows)
    return f"**dm_control's own reward**, return out of 1000\n\n{made}"


def _shared(cells: Sequence[Cell]) -> str:
    if len({result["seed"] for cell in cells for result in cell.results}) > 1:
        return ""
    most = max(cell.episodes for cell in cells)
    fewer = sorted({f"`{cell.controller}`" for cell in cells if cell.episodes < most})
    but = f", of which {' and '.join(fewer)} only the first" if fewer else ""
    return f"All play the same episodes{but}. "


def _uncommitted(cells: Sequence[Cell]) -> str:
    commits = [result["commit"] for cell in cells for result in cell.results]
    several = sum(map(is_uncommitted, commits))
    if not several:
        return ""
    return f"; {several} of {len(commits)} runs were measured with uncommitted changes and say so"


def _machines(cells: Sequence[Cell]) -> str:
    results = [result for cell in cells for result in cell.results]
    dates: dict[str, set[str]] = {}
    for result in results:
        dates.setdefault(result["hardware"], set()).add(result["date"][:10])
    return "; ".join(f"{name}, {_span(days)}" for name, days in sorted(dates.items()))


def _span(days: set[str]) -> str:
    first, last = min(days), max(days)
    return first if first == last else f"{first} to {last}"
