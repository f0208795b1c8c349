"""The tables of docs/identifiability.md, made from ``results/identifiability*/*.json`` alone.

    python -m studies.tables

A test compares the page with what this makes.
"""

from __future__ import annotations

from pathlib import Path

from studies.tables import with_tables

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "identifiability.md"
RESULTS = ROOT / "results"

if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8"), RESULTS), encoding="utf-8")
