"""The tables of docs/identifiability.md, made from ``results/identifiability*/*.json`` alone.

    python -m studies.tables

It draws what ``diagnose`` says beside it. A test compares the page with what this makes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from agent.files.durable import write_durably
from agent.reporting.style import save_png
from studies.figures.verdicts import verdicts_figure
from studies.tables import with_tables
from studies.tables.diagnosis import FOLDER, verdicts

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "identifiability.md"
RESULTS = ROOT / "results"


def main() -> None:
    """Write the page and its picture, in this clone; what other folders hold is not looked at."""
    argparse.ArgumentParser(
        "python -m studies.tables", description=__doc__.split("\n")[0]
    ).parse_args()
    save_png(verdicts_figure(verdicts(RESULTS)), RESULTS / FOLDER / "verdicts.png")
    write_durably(PAGE, with_tables(PAGE.read_text(encoding="utf-8"), RESULTS).encode())


if __name__ == "__main__":
    main()
