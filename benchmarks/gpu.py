"""What one GPU does beside the CPU: training at several batches, planning for many arms.

    python -m benchmarks.gpu training --data data/reacher --json results/scaling/gpu_training.json
    python -m benchmarks.gpu planning --json results/scaling/gpu_planning.json

``benchmarks/gpu.sh`` runs both, and LeWorldModel's recipe besides.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from agent.config import preset
from agent.control.mpc import MPCConfig, WorldModelController
from agent.control.torch_model import TorchModel
from agent.data import RolloutStore
from agent.evaluation.provenance import circumstances
from agent.files.json_files import write_json
from agent.interfaces import Goals, Seen
from agent.model.checkpoint import load_checkpoint
from agent.model.shipped import SHIPPED, find_checkpoint
from agent.training.fit import usable_device
from agent.training.trainer import Trainer
from planners import PLANNERS

BATCHES = (64, 256, 1024, 4096)
CPU_BATCHES = (64, 1024)
SECONDS = 6.0  # for each figure
ARMS = (1, 100, 1000)


def main() -> None:
    """Measure one of the two, print, and write JSON if asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("training", "planning"))
    parser.add_argument("--data", type=Path, help="a data set made by collect, to train on")
    parser.add_argument("--checkpoint", type=Path, default=SHIPPED, help="the model to plan with")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--json", type=Path, help="write the figures here")
    asked = parser.parse_args()
    usable_device(asked.device)
    if asked.what == "training":
        found = training(asked.data, asked.device)
    else:
        found = planning(asked.checkpoint, asked.device)
    about = {"command": f"python -m benchmarks.gpu {asked.what}", "device": name(asked.device)}
    result = about | found | circumstances()
    print(json.dumps(result, indent=2))
    if asked.json:
        write_json(asked.json, result)


def name(device: str) -> str:
    """What the device calls itself."""
    on_gpu = torch.device(device).type == "cuda"
    return torch.cuda.get_device_name(device) if on_gpu else device


def training(data: Path, device: str) -> dict[str, Any]:
    """Frames per second by recipe, device and batch."""
    RolloutStore.open(data)
    found: dict[str, Any] = {}
    for recipe, precision in (("default", "float32"), ("lewm", "bfloat16")):
        for where, batches in ((device, BATCHES), ("cpu", CPU_BATCHES)):
            for batch in batches if where != "cpu" or recipe == "default" else ():
                key = f"{recipe}, {where}, {batch}"
                found[key] = round(training_speed(data, recipe, precision, where, batch))
    largest = f"default, cpu, {CPU_BATCHES[-1]}"
    times = found[f"default, {device}, {CPU_BATCHES[-1]}"] / found[largest]
    return {"frames_per_s": found, f"times_the_cpu_at_{CPU_BATCHES[-1]}": round(times, 1)}


def training_speed(data: Path, recipe: str, precision: str, device: str, batch: int) -> float:
    """Frames per second of the steps of ``recipe``, its reports and states left out."""
    config = preset(recipe)
    asked = replace(config.training, batch=batch, device=device, precision=precision, steps=10**6)
    with tempfile.TemporaryDirectory() as out:
        trainer = Trainer(data, Path(out) / "run", replace(config, training=asked))
        for _ in range(3):
            trainer._train_one_step()
        began_s, steps = time.monotonic(), 0
        while time.monotonic() - began_s < SECONDS:
            trainer._train_one_step()  # ends with numbers on the CPU: nothing is left under way
            steps += 1
    return steps * batch * asked.window_frames / (time.monotonic() - began_s)


def planning(checkpoint: Path, device: str) -> dict[str, Any]:
    """Decisions per second for many arms at once, by planner, device and number of arms."""
    found = {
        f"{planner}, {where}, {arms}": round(planning_speed(checkpoint, planner, where, arms), 1)
        for planner in ("gauss-newton", "cem")
        for where in (device, "cpu")
        for arms in (ARMS if where != "cpu" or planner == "gauss-newton" else ARMS[:1])
    }
    return {"decisions_per_s": found}


def planning_speed(checkpoint: Path, planner: str, device: str, arms: int) -> float:
    """Decisions per second; what the arms see are frames of noise."""
    model = TorchModel(load_checkpoint(find_checkpoint(checkpoint)).to(usable_device(device)))
    controller = WorldModelController(model, PLANNERS[planner](), MPCConfig(guarded=False))
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (2, arms, *model.spec.frame_shape), np.uint8)
    controller.reset(Goals(pixels=frames[1]), list(range(arms)))
    controller.act(Seen(pixels=frames[0]))
    began_s, decided = time.monotonic(), 0
    while time.monotonic() - began_s < SECONDS:
        controller.act(Seen(pixels=frames[0]))
        decided += arms
    return decided / (time.monotonic() - began_s)


if __name__ == "__main__":
    main()
