"""What the page says in words: what was found, and what each protocol asks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agent.reporting.results_table import OURS
from benchmarks.campaign.cells import Cell
from benchmarks.campaign.full_tables import VARIANT
from benchmarks.campaign.glance import HELD
from benchmarks.campaign.subject import tasks


def main_and_variants(cells: Sequence[Cell]) -> tuple[list[Cell], list[Cell]]:
    """The protocols everybody looks at, and the variants, which fill pages."""
    variant = [cell.protocol.startswith(VARIANT) for cell in cells]
    pairs = list(zip(cells, variant, strict=True))
    return [cell for cell, is_one in pairs if not is_one], [c for c, is_one in pairs if is_one]


def summary_of(cells: Sequence[Cell]) -> Iterator[str]:
    """A sentence a protocol of goals that everybody looks at: ours, and the best of the others."""
    goals, _ = main_and_variants(
        [cell for cell in cells if not cell.has_return and cell.values(HELD).size]
    )
    for protocol in dict.fromkeys(cell.protocol for cell in goals):
        held = {c.controller: c.values(HELD).mean() for c in goals if c.protocol == protocol}
        ours = held.pop(OURS, None)
        if ours is not None and held:
            best = max(held, key=lambda name: held[name])
            yield (
                f"On {protocol} the world model holds {100 * ours:.1f} % of its goals; the best of "
                f"{len(held)} others, {best}, holds {100 * held[best]:.1f} %."
            )


def definitions_of(cells: Sequence[Cell]) -> Iterator[tuple[str, str]]:
    """Each protocol in its task's own words, as far as there is still such a task."""
    for protocol in dict.fromkeys(cell.protocol for cell in cells):
        if protocol in tasks():
            yield protocol, tasks()[protocol].about
