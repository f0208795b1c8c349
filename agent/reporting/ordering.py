"""One order for tables and figures: protocols as defined, controllers as given."""

from __future__ import annotations

from collections.abc import Sequence

from agent.evaluation.cells import Cell
from agent.evaluation.protocols import PROTOCOLS


def in_order(cells: Sequence[Cell], controllers: Sequence[str]) -> list[Cell]:
    """``cells`` by protocol, then controller; unknown names come last, by the alphabet."""
    protocols = tuple(PROTOCOLS)

    def place(cell: Cell) -> tuple[int, str, int, str]:
        unknown_protocol = "" if cell.protocol in protocols else cell.protocol
        unknown = "" if cell.controller in controllers else cell.controller
        return (
            len(protocols) if unknown_protocol else protocols.index(cell.protocol),
            unknown_protocol,
            len(controllers) if unknown else controllers.index(cell.controller),
            unknown,
        )

    return sorted(cells, key=place)


def names_in(cells: Sequence[Cell]) -> list[str]:
    """The controllers of ``cells``, each once, in their order."""
    return list(dict.fromkeys(cell.controller for cell in cells))
