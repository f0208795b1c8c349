"""Tables as lines of markdown."""

from __future__ import annotations

from collections.abc import Sequence


def table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> list[str]:
    """A table with names above and one line for each of ``lines``."""
    whole = [head, ["---"] * len(head), *lines]
    return [f"| {' | '.join(cells)} |" for cells in whole]
