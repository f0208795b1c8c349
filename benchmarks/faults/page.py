"""The tables of docs/reliability.md, made from the suites' files alone."""

from __future__ import annotations

from pathlib import Path


def fill_page(page: Path, results: Path) -> None:
    """Put the table of every suite in ``results`` between its marks."""
