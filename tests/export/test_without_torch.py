"""What runs on a robot needs no torch."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
from importlib import metadata
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


def test_an_exported_agent_acts_with_numpy_and_onnxruntime_alone(exported: Path) -> None:
    """What README says is enough on a robot: the rest of what is installed cannot be imported."""
    program = f"""
import sys
for name in {sorted(_needless_on_a_robot())!r}:
    sys.modules[name] = None  # importing it now fails
import numpy as np
import agent.export.program
from agent import ExportedAgent
picture = np.zeros(({SIZE}, {SIZE}, 3), np.uint8)
agent = ExportedAgent.load({str(exported)!r}, tick_ms=1000.0)
assert np.isfinite(agent.act(picture, picture)).all() and len(agent.encode(picture))
"""
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)


def _needless_on_a_robot() -> set[str]:
    """Modules of what is installed beside numpy, onnxruntime, what that requires, and us."""
    needed, asked = {"lejepa-agent"}, ["numpy", "onnxruntime"]
    while asked:
        name = asked.pop()
        needed.add(name)
        with contextlib.suppress(metadata.PackageNotFoundError):
            required = [one for one in metadata.requires(name) or () if "extra ==" not in one]
            plain = {re.split(r"[^\w.-]", one)[0].lower() for one in required}
            asked += plain - needed
    homes = metadata.packages_distributions()
    ours = {"agent", "envs", "planners"} | sys.stdlib_module_names
    return {m for m, names in homes.items() if not needed & {n.lower() for n in names}} - ours
