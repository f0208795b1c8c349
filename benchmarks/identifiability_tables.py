"""The tables of docs/identifiability.md, made from ``results/identifiability*/*.json`` alone.

    python benchmarks/identifiability_tables.py

A test compares the page with what this makes.
"""

from __future__ import annotations

from pathlib import Path

from agent.reporting.identifiability_tables import with_tables

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "identifiability.md"
RESULTS = ROOT / "results"

if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8"), RESULTS), encoding="utf-8")
