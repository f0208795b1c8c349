"""Threads that wait leave their core to others and nothing is reported, unless the user says so."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent.machine.libraries import settle

OTHERS = ("ORT_DISABLE_TELEMETRY", "OPENBLAS_NUM_THREADS")
NAMES = ("OMP_WAIT_POLICY", "KMP_BLOCKTIME", "GOMP_SPINCOUNT", "KMP_LIBRARY")
PROGRAM = """
import multiprocessing, os, sys
def tell(): print(*(os.environ.get(name) for name in {names}))
if __name__ == "__main__":
    import {module}
    assert "torch" not in sys.modules
    tell()
    child = multiprocessing.get_context("spawn").Process(target=tell)
    child.start(); child.join()
"""


@pytest.mark.parametrize("name", NAMES)
def test_what_the_user_says_stays(name: str) -> None:
    environment = {name: "whatever"}
    settle(environment)
    assert {environment.pop(other) for other in OTHERS} == {"1"}
    assert environment == {name: "whatever"}


@pytest.mark.parametrize("name", OTHERS)
def test_what_else_the_user_says_stays(name: str) -> None:
    environment = {name: "0"}
    settle(environment)
    assert environment[name] == "0"


@pytest.mark.parametrize("module", ["agent", "run_agent"])
def test_it_is_said_before_torch_is_imported_and_to_spawned_workers(
    module: str, tmp_path: Path
) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM.format(module=module, names=(*NAMES, *OTHERS)))
    environment = {k: v for k, v in os.environ.items() if k not in (*NAMES, *OTHERS)}
    environment["PYTHONPATH"] = str(Path(__file__).parents[2])
    said = subprocess.check_output([sys.executable, program], env=environment, text=True)
    ours, childs = said.splitlines()
    assert ours == childs
    asleep, awake = "PASSIVE 0 None None 1 1", "None 1 10000 None 1 1"
    assert ours in (asleep, awake)


def test_threads_sleep_at_once_where_a_core_is_taken() -> None:
    taken: dict[str, str] = {}
    settle(taken, free_cores=1)
    free: dict[str, str] = {}
    settle(free, free_cores=2)
    assert taken["OMP_WAIT_POLICY"] == "PASSIVE" and "GOMP_SPINCOUNT" not in taken
    assert free["GOMP_SPINCOUNT"] == "10000" and "OMP_WAIT_POLICY" not in free


def test_onnxruntime_reports_nothing_and_leaves_nothing(tmp_path: Path) -> None:
    words = "import agent, tempfile, onnxruntime; print(tempfile.gettempdir())"
    environment = {k: v for k, v in os.environ.items() if k != "ORT_DISABLE_TELEMETRY"}
    place = subprocess.check_output(
        [sys.executable, "-c", words], env={**environment, "TMPDIR": str(tmp_path)}, text=True,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert Path(place.strip()) == tmp_path and not list(tmp_path.iterdir())
