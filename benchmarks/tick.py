"""Ten thousand control ticks with a deadline on one core, one episode at a time: how many are late.

    OMP_NUM_THREADS=1 .venv/bin/python benchmarks/tick.py --json results/tick.json

Three ways to act with the same world model: planning in torch, planning in the exported networks
without torch, and the action head alone. Nothing else should run meanwhile.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from agent.commands.console import note
from agent.commands.controllers import Acting, make_controller
from agent.commands.progress import progress
from agent.control.mpc import WorldModelController
from agent.evaluation.play import evaluate
from agent.evaluation.provenance import circumstances
from agent.export.exporting import export_controller
from agent.export.onnx_model import OnnxModel
from agent.files.json_files import write_json
from agent.interfaces import Controller
from agent.model.checkpoint import load_checkpoint
from envs import WorldSpec, make_world, task_named

PROTOCOL = "anywhere"  # 100 ticks an episode
SEED = 77
MPC_MS, DIRECT_MS = 20.0, 2.0


def main() -> None:
    """Measure, print, and write JSON if asked."""
    arguments = _parse()
    torch.set_num_threads(1)
    spec, rows = load_checkpoint(arguments.checkpoint).spec, []
    with tempfile.TemporaryDirectory() as place:
        for name, limit_ms, make in _ways(arguments.checkpoint, spec, Path(place) / "onnx"):
            rows.append(measure(name, make(), spec, limit_ms, arguments.episodes))
            note(json.dumps(rows[-1]))
    result = {
        "command": f"python benchmarks/tick.py --episodes {arguments.episodes}",
        "checkpoint": str(arguments.checkpoint), "protocol": PROTOCOL, "seed": SEED, "rows": rows,
        **circumstances(),
    }  # fmt: skip
    if arguments.json:
        write_json(arguments.json, result)


def measure(
    name: str, controller: Controller, spec: WorldSpec, limit_ms: float, episodes: int
) -> dict[str, Any]:
    """Tick times [ms] over ``episodes``, and how many were longer than ``limit_ms``."""
    began_s = time.monotonic()
    make = partial(make_world, spec.world, spec.look, spec.image_size[0])
    world = make()
    task = task_named(PROTOCOL, world)
    world.close()
    with progress(f"{name}, episodes") as update:
        trials = evaluate(
            controller, task, make, episodes, SEED,
            batch=1, timed_episodes=episodes, progress=update,
        )  # fmt: skip
    spent = np.concatenate([trial.decision_ms for trial in trials])
    return {
        "controller": name,
        "limit_ms": limit_ms,
        "ticks": len(spent),
        "missed": int((spent > limit_ms).sum()),
        **{f"p{p:g}_ms": round(float(np.percentile(spent, p)), 3) for p in (50, 95, 99, 99.9)},
        "max_ms": round(float(spent.max()), 3),
        "held": sum(trial.verdict.held for trial in trials) / len(trials),
        "wall_clock_s": round(time.monotonic() - began_s, 1),
    }


def _ways(
    checkpoint: Path, spec: WorldSpec, exported: Path
) -> Sequence[tuple[str, float, Callable[[], Controller]]]:
    def onnx() -> Controller:
        export_controller(load_checkpoint(checkpoint), exported, {})
        model = OnnxModel(exported)
        return WorldModelController(model, model.planner, model.control)

    def by_name(name: str, limit_ms: float) -> Callable[[], Controller]:
        return lambda: make_controller(name, checkpoint, spec, Acting(tick_ms=limit_ms))

    return (
        ("world-model", MPC_MS, by_name("world-model", MPC_MS)),
        ("onnx", MPC_MS, onnx),
        ("direct", DIRECT_MS, by_name("direct", DIRECT_MS)),
    )


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkpoint", type=Path, default=Path("checkpoints/reacher"))
    parser.add_argument("--episodes", type=int, default=100, help="of 100 ticks each")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
