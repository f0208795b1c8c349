"""Threads that wait leave their core to others, unless the user says how they wait."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent.machine.openmp import wait_quietly

NAMES = ("OMP_WAIT_POLICY", "KMP_BLOCKTIME", "GOMP_SPINCOUNT", "KMP_LIBRARY")
PROGRAM = """
import multiprocessing, os, sys
def tell(): print(os.environ["OMP_WAIT_POLICY"], os.environ["KMP_BLOCKTIME"])
if __name__ == "__main__":
    import {module}
    assert "torch" not in sys.modules
    child = multiprocessing.get_context("spawn").Process(target=tell)
    child.start(); child.join()
"""


@pytest.mark.parametrize("name", NAMES)
def test_what_the_user_says_stays(name: str) -> None:
    environment = {name: "whatever"}
    wait_quietly(environment)
    assert environment == {name: "whatever"}


@pytest.mark.parametrize("module", ["agent", "run_agent"])
def test_it_is_said_before_torch_is_imported_and_to_spawned_workers(
    module: str, tmp_path: Path
) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM.format(module=module))
    environment = {k: v for k, v in os.environ.items() if k not in NAMES}
    environment["PYTHONPATH"] = str(Path(__file__).parents[2])
    said = subprocess.check_output([sys.executable, program], env=environment, text=True)
    assert said.split() == ["PASSIVE", "0"]
