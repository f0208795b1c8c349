"""Markdown pages with made parts.

``glance`` is a line a controller, ``results`` all tables, ``curves`` what experience buys,
``worlds`` a line a task of every other world. Numbers in the text are quoted from the same files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from agent.errors import UserError
from benchmarks.campaign.cell_words import UNMEASURED
from benchmarks.campaign.cells import Cell
from benchmarks.campaign.curve_table import curve_table
from benchmarks.campaign.full_tables import full_tables
from benchmarks.campaign.glance import glance
from benchmarks.campaign.worlds_table import worlds_table
from studies.marks import filled, is_marked
from studies.quotes import QUOTE, Source, with_quotes

PARTS = ("glance", "results", "curves", "worlds")


def has_parts(page: str) -> bool:
    """Whether there is anything to make on this Markdown ``page``."""
    return any(is_marked(page, name) for name in PARTS) or bool(QUOTE.search(page))


def page_of(
    page: str,
    cells: Sequence[Cell],
    about: Mapping[str, str],
    curves: Sequence[Mapping[str, Any]],
    worlds: Sequence[Mapping[str, Any]] = (),
    quoted: Mapping[str, Source] = MappingProxyType({}),
) -> str:
    """``page`` with its parts made from the results, controllers as in ``about``.

    What its text quotes comes from the sources ``quoted``.

    Raises:
        UserError: if there is none, its marks are not in pairs, or a table would be emptied.
    """
    if not has_parts(page):
        marks = " or ".join(f"<!-- {name}:begin --> and <!-- {name}:end -->" for name in PARTS)
        raise UserError(f"expected a page with lines {marks}, got none of them")
    makers: dict[str, Callable[[], str]] = {
        "glance": lambda: glance(cells, about),
        "results": lambda: full_tables(cells, tuple(about)),
        "curves": lambda: curve_table(curves),
        "worlds": lambda: worlds_table(worlds),
    }
    for name in (name for name in PARTS if is_marked(page, name)):
        page = filled(page, name, _kept(page, name, makers[name]()))
    return with_quotes(page, quoted)


def _kept(page: str, name: str, content: str) -> str:
    if content.endswith(UNMEASURED) and content not in page:
        raise UserError(
            f"expected results for the part {name!r} of the page, got none: nothing was written. "
            "Name the directory that has all results"
        )
    return content
