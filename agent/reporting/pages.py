"""Markdown pages with made parts.

``glance`` is a line a controller, ``results`` all tables, ``curves`` what experience buys.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agent.errors import UserError
from agent.evaluation.cells import Cell
from agent.reporting.curve_table import curve_table
from agent.reporting.full_tables import full_tables
from agent.reporting.glance import glance
from agent.reporting.marks import filled, is_marked

PARTS = ("glance", "results", "curves")


def has_parts(page: str) -> bool:
    """Whether there is anything to make on this Markdown ``page``."""
    return any(is_marked(page, name) for name in PARTS)


def page_of(
    page: str,
    cells: Sequence[Cell],
    about: Mapping[str, str],
    curves: Sequence[Mapping[str, Any]],
) -> str:
    """``page`` with its parts made from ``cells`` and ``curves``, controllers as in ``about``.

    Raises:
        UserError: if there is none, or its marks are not in pairs.
    """
    if not has_parts(page):
        marks = " or ".join(f"<!-- {name}:begin --> and <!-- {name}:end -->" for name in PARTS)
        raise UserError(f"expected a page with lines {marks}, got none of them")
    made = filled(page, "glance", glance(cells, about))
    made = filled(made, "results", full_tables(cells, tuple(about)))
    return filled(made, "curves", curve_table(curves))
