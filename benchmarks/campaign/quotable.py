"""What the text of the pages may quote: runs of the comparison, points of curves, JSON files.

q: runs; PROTOCOL; CONTROLLER; touch, held, return, error
q: all; the same, of all episodes that the tables hold
q: in; FOLDER of results; the same, of the tables there
q: curve; PROTOCOL; CONTROLLER; held or return; ENV STEPS; mean, min or max of seeds
q: json; FILE in results; PATH/TO/VALUE; FORMAT, ``.1f``
q: model; PATH/TO/VALUE; FORMAT, of what the shipped checkpoint says of its training
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from agent.model.shipped import SHIPPED
from benchmarks.campaign.cells import RETURN, Cell, read_cells
from benchmarks.campaign.figures import score
from benchmarks.campaign.inputs import COMPARISON
from studies.quotes import Source, of_file, of_files

ROOT = Path(__file__).parents[2]
RATES = {"touch": "first_touch", "held": "held"}
FOLDS = {"mean": lambda values: sum(values) / len(values), "min": min, "max": max}


def sources(
    results: Path,
    cells: Sequence[Cell],
    curves: Sequence[Mapping[str, Any]],
) -> dict[str, Source]:
    """The sources of quotes by name."""
    cells_of = cache(lambda folder: read_cells(results / folder))
    return {
        "runs": lambda *words: _of_cell(cells, *words),
        "all": lambda *words: _of_cell(cells_of(COMPARISON), *words),
        "in": lambda folder, *words: _of_cell(cells_of(folder), *words),
        "curve": lambda *words: _of_curve(curves, *words),
        "json": of_files(results),
        "model": of_file(ROOT / SHIPPED / "config.json", "facts/"),
    }


def _of_cell(cells: Sequence[Cell], protocol: str, controller: str, what: str) -> str:
    by_name = {(cell.protocol, cell.controller): cell for cell in cells}
    cell = by_name[protocol, controller]
    if what == "error":
        return f"{cell.median_error():.4f}"
    values = cell.values(RETURN if what == "return" else RATES[what])
    return f"{values.mean():.0f}" if what == "return" else f"{100 * values.mean():.1f}"


def _of_curve(
    curves: Sequence[Mapping[str, Any]], protocol: str, controller: str, what: str, steps: str,
    fold: str = "mean",
) -> str:  # fmt: skip
    mine = [
        point
        for point in curves
        if (point["protocol"], point["controller"]) == (protocol, controller)
        and point["bought_with"]["env_steps"] == int(steps)
    ]
    if not mine:
        raise LookupError(f"no point at {steps}")
    if what == "touch":
        return f"{FOLDS[fold]([100 * point['first_touch']['rate'] for point in mine]):.0f}"
    assert what == ("held" if mine[0][RETURN] is None else "return"), "it shows one of the two"
    return f"{FOLDS[fold]([score(point) for point in mine]):.0f}"
