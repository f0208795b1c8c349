"""Parts of Markdown pages that are made, between the lines ``<!-- NAME:begin -->`` and ``:end``.

What stands around them is written by hand and left alone.
"""

from __future__ import annotations

import re

from agent.errors import UserError


def is_marked(page: str, name: str) -> bool:
    """Whether ``page`` has a part of this name."""
    return _begin(name) in page or _end(name) in page


def filled(page: str, name: str, content: str) -> str:
    """``page`` with ``content`` as its part ``name``; a page without one comes back as it is.

    Raises:
        UserError: if there is not one mark of each kind, the beginning first.
    """
    if not is_marked(page, name):
        return page
    parts = re.split(f"{re.escape(_begin(name))}|{re.escape(_end(name))}", page)
    if len(parts) != 3 or page.index(_begin(name)) > page.index(_end(name)):
        raise UserError(f"expected one line {_begin(name)!r}, then one {_end(name)!r}, on the page")
    before, _, after = parts
    return f"{before}{_begin(name)}\n{content}\n{_end(name)}{after}"


def _begin(name: str) -> str:
    return f"<!-- {name}:begin -->"


def _end(name: str) -> str:
    return f"<!-- {name}:end -->"
