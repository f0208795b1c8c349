"""What runs on a robot needs no torch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from small_controller import SIZE

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "module",
    ["planners", "agent.control.mpc", "agent.control.perception", "agent.export.onnx_model",
     "agent.export.program"],
)  # fmt: skip
def test_importing_it_loads_no_torch(module: str) -> None:
    program = f"import sys, {module}\nassert 'torch' not in sys.modules, 'torch was loaded'"
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)


def test_an_exported_controller_acts_where_torch_is_missing(exported: Path) -> None:
    program = f"""
import sys
sys.modules["torch"] = None  # importing it now fails
from pathlib import Path
import numpy as np
import agent.export.program
from agent.control.mpc import WorldModelController
from agent.export.onnx_model import OnnxModel
from agent.interfaces import Goals, Seen
from planners import GaussNewtonPlanner
picture = np.zeros((1, {SIZE}, {SIZE}, 3), np.uint8)
model = OnnxModel(Path({str(exported)!r}))
controller = WorldModelController(model, GaussNewtonPlanner(model.planner), model.control)
controller.reset(Goals(pixels=picture), [0])
assert np.isfinite(controller.act(Seen(pixels=picture)).actions).all()
"""
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)
