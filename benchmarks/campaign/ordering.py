"""One order for tables and figures: protocols as defined, controllers as given."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.campaign.cells import Cell
from benchmarks.campaign.subject import tasks


def in_order(cells: Sequence[Cell], controllers: Sequence[str]) -> list[Cell]:
    """``cells`` by protocol, then controller; unknown names come last, by the alphabet."""
    protocols = tuple(tasks())
    return sorted(
        cells, key=lambda cell: (rank(cell.protocol, protocols), rank(cell.controller, controllers))
    )


def rank(name: str, known: Sequence[str]) -> tuple[int, str]:
    """A key to sort by: names in the order of ``known``, then all others by the alphabet."""
    return (known.index(name), "") if name in known else (len(known), name)


def names_in(cells: Sequence[Cell]) -> list[str]:
    """The controllers of ``cells``, each once, in their order."""
    return list(dict.fromkeys(cell.controller for cell in cells))
