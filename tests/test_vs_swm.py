"""The comparison with stable-worldmodel: ratios, and honesty about what could not be measured."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def benchmark() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "benchmarks" / "vs_swm.py"))


def test_ratios_say_how_many_times_ours_is_as_fast(benchmark: dict[str, Any]) -> None:
    theirs = {"plan": {"ms_per_plan": 500.0}, "train": {"frames_per_s": 4.0}}
    ours = {"plan": {"ms_per_plan": 10.0}, "train": {"frames_per_s": 6.0}}
    found = benchmark["ratios"](theirs, ours)
    assert (found["plan"], found["training frames"]) == (50.0, 1.5)
    assert found["windows, Lance"] is None  # neither was measured


def test_a_failed_measurement_carries_its_reason(benchmark: dict[str, Any], tmp_path: Path) -> None:
    program = "raise SystemExit('no OpenGL here')"
    found = benchmark["_run"]([sys.executable, "-c", program], 1, tmp_path / "result.json")
    assert found == {"not_measured": "no OpenGL here"}


def test_a_measurement_runs_with_the_threads_it_is_told(
    benchmark: dict[str, Any], tmp_path: Path
) -> None:
    program = (
        "import os, pathlib, sys\n"
        "pathlib.Path(sys.argv[-1]).write_text(os.environ['OMP_NUM_THREADS'])"
    )
    found = benchmark["_run"]([sys.executable, "-c", program], 2, tmp_path / "result.json")
    assert found == 2
