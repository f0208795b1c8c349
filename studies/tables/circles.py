"""The tables of the studies ``circles`` and ``circle-law``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from studies.tables.markdown import table

Result = Mapping[str, Any]
NAMES = {"whitening": "whitening", "lejepa": "LeJEPA"}


def circles_table(result: Result) -> list[str]:
    """Each world, ratio and number of outputs: R² as predicted and as measured."""
    cells = result["summary"]["table"]
    beside = {_place(cell): cell for cell in cells if cell["objective"] == "lejepa"}
    lines = []
    for cell in cells:
        if cell["objective"] == "whitening":
            slow, fast = cell["world"].split(", ")
            lines.append([
                slow, fast, f"{cell['ratio']:g}", f"{cell['outputs']}", f"{cell['needed']}",
                f"{cell['pairs']}",
                *(" / ".join(f"{asked:.2f}" for asked in cell[name])
                  for name in ("predicted", "in_batches")),
                _both(cell), _both(beside.get(_place(cell))), f"{cell['r2'][0]['n']}",
            ])  # fmt: skip
    head = ["slow", "fast", "ratio of rates", "D", "D that the rule asks for", "pairs a batch"]
    head += ["R² by the rule, slow / fast", "in such batches", "whitening R²", "LeJEPA R²", "seeds"]
    return table(head, lines)


def circle_law_table(result: Result) -> list[str]:
    """R² of the worse joint by the spread, then SIGReg's yardsticks."""
    found = result["summary"]["table"]
    spreads = sorted(found["lejepa"]["2"], key=float)
    lines = []
    for name, words in (("r2_sine_worse", "sine"), ("r2_circle_worse", "sine and cosine")):
        for objective, widths in found.items():
            for outputs, by_spread in widths.items():
                means = [f"{by_spread[spread][name]['mean']:.3f}" for spread in spreads]
                lines.append([words, NAMES[objective], outputs, *means])
    head = ["R² of, worse joint", "objective", "D", *(f"spread {one} rad" for one in spreads)]
    return [*table(head, lines), "", *_yardsticks(result["summary"]["yardsticks"])]


def _yardsticks(rows: list[Result]) -> list[str]:
    lines = [
        [row["law"], *(f"{row[name]}" for name in ("features", "free", "dead")),
         f"{row['sigreg']:.2f}"]
        for row in rows
    ]  # fmt: skip
    head = ["world", "slowest features", "free Gaussian outputs", "dead outputs"]
    return table([*head, "SIGReg of 512 embeddings"], lines)


def _place(cell: Result) -> tuple[Any, ...]:
    return cell["world"], cell["ratio"], cell["outputs"], cell["pairs"]


def _both(cell: Result | None) -> str:
    return "–" if cell is None else " / ".join(f"{one['mean']:.3f}" for one in cell["r2"])
