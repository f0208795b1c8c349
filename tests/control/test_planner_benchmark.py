"""The planner benchmark measures each row once, whenever it is interrupted."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import pytest

from agent.errors import UserError
from benchmarks.campaign.inputs import PLANNERS_SCHEMA, planner_rows
from planners import PLANNERS

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "checkpoints" / "reacher"


@pytest.fixture(scope="module")
def benchmark() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "benchmarks" / "control.py"))


def test_every_planner_is_measured_at_two_budgets_or_more(benchmark: dict[str, Any]) -> None:
    cells = benchmark["cells"](SHIPPED, 30, 77)
    counted = [cell.identity["planner"] for cell in cells if cell.protocol == "lewm"]
    assert set(counted) == {*PLANNERS, "oracle"}
    assert all(counted.count(name) >= 2 for name in PLANNERS)


def test_a_row_on_file_is_not_measured_again(benchmark: dict[str, Any], tmp_path: Path) -> None:
    cells = benchmark["cells"](SHIPPED, 30, 77)
    path = tmp_path / "planners.json"
    done = [cell.identity for cell in cells[::2]]
    path.write_text(json.dumps({"schema": PLANNERS_SCHEMA, "rows": done}))
    rows = planner_rows(path)
    assert benchmark["missing"](cells, rows) == cells[1::2]
    others = benchmark["cells"](SHIPPED, 31, 77)
    assert benchmark["missing"](others, rows) == others


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    assert planner_rows(path) == []
    path.write_text("[]")
    with pytest.raises(UserError, match="schema"):
        planner_rows(path)


def test_a_measured_row_carries_its_identity_and_figures(benchmark: dict[str, Any]) -> None:
    cell = next(cell for cell in benchmark["cells"](SHIPPED, 1, 77) if cell.protocol == "lewm")
    row = cell.measure(lambda done, total, text="": None)
    assert benchmark["missing"]([cell], [json.loads(json.dumps(row))]) == []
    assert row["decision_ms"]["p50"] > 0 and row["held"]["rate"] in (0.0, 1.0)
    assert row["commit"] and row["hardware"] and row["date"]
