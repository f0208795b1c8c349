"""One measurement of ours, under the same name and flags as ``swm_peer.py`` has it.

.venv/bin/python benchmarks/swm_ours.py plan --threads 2 --out plan.json
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from agent.deploy.controller import OnnxController

from agent.config import reacher_cpu
from agent.control.mpc import WorldModelController
from agent.data import CollectConfig, WindowSampler, collect
from agent.export.exporting import export_controller
from agent.interfaces import Controller, GoalObservation
from agent.model.checkpoint import load_checkpoint
from agent.model.sigreg import SIGReg
from agent.model.world_model import WorldModel
from agent.training.objective import lejepa_loss
from envs import configure_gl
from envs.reacher import ReacherSimulator, Renderer, sample_pose

CHECKPOINT = Path("checkpoints/reacher")
FRAMES, STRIDE, BATCH = 8, 2, 64
TICKS = 100
Result = dict[str, Any]


def main() -> None:
    """Measure what was asked for and write it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=sorted(MEASUREMENTS))
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True, help="where to write the result")
    parser.add_argument("--seconds", type=float, default=3.0, help="for each rate, at least")
    parser.add_argument("--frames", type=Path, help="where to write the episodes that were read")
    options = parser.parse_args()
    configure_gl()
    torch.set_num_threads(options.threads)
    options.out.write_text(json.dumps(MEASUREMENTS[options.what](options)), encoding="utf-8")


def plan(options: argparse.Namespace) -> Result:
    """One control tick, encoding included: median over a closed loop, in torch and exported."""
    model = load_checkpoint(CHECKPOINT)
    with tempfile.TemporaryDirectory() as place:
        export_controller(model, Path(place) / "exported", {})
        controllers: dict[str, Controller] = {
            "torch": WorldModelController(model),
            "onnx": OnnxController(Path(place) / "exported", options.threads),
        }
        spent_ms = {name: _ticks_ms(each, model) for name, each in controllers.items()}
    return {
        "ms_per_plan": float(np.median(spent_ms["torch"])),
        "ms_per_plan_p95": float(np.percentile(spent_ms["torch"], 95)),
        "ms_per_plan_onnx": float(np.median(spent_ms["onnx"])),
        "ms_per_plan_onnx_p95": float(np.percentile(spent_ms["onnx"], 95)),
        "timed": f"median of {TICKS} ticks in closed loop",
        "env_steps_ahead": 16,
        "parameters": sum(p.numel() for p in model.parameters()),
    }


def _ticks_ms(controller: Controller, model: WorldModel) -> list[float]:
    rng, arm = np.random.default_rng(5), ReacherSimulator()
    camera = Renderer(arm, model.config.render_profile, model.config.encoder.image_size)
    goal, unknown, spent_ms = camera.render_pose(sample_pose(rng)), np.zeros(4), []
    arm.reset(sample_pose(rng))
    for tick in range(-10, TICKS):  # the first ones warm up
        seen = [GoalObservation(camera.render_pose(arm.qpos_rad), goal, unknown, unknown)]
        if tick == -10:
            controller.reset(seen, [5])
        before_s = time.perf_counter()
        torques = controller.act(seen)
        spent_ms += [1e3 * (time.perf_counter() - before_s)] if tick >= 0 else []
        arm.step(torques[0])
    camera.close()
    return spent_ms


def train(options: argparse.Namespace) -> Result:
    """Frames a second of our loss, forward and backward."""
    config = reacher_cpu()
    size, batch = config.model.encoder.image_size, config.training.batch
    window, draw = config.training.window_frames, torch.Generator().manual_seed(0)
    model, sigreg = WorldModel(config.model).train(), SIGReg(config.training.sigreg_directions)
    frames = torch.randint(0, 256, (batch, window, size, size, 3), generator=draw).byte()
    actions = torch.rand(batch, window - 1, config.model.action_width, generator=draw)

    def step() -> None:
        terms = lejepa_loss(model, sigreg, frames, actions, config.training.sigreg_weight, draw)
        terms.total.backward()
        model.zero_grad()

    rate = batch * window * per_second(step, options.seconds)
    return {"frames_per_s": rate, "windows_per_batch": batch, "image_size": size}


def read(options: argparse.Namespace) -> Result:
    """Windows a second from our files on disk, and from memory, batches of 64."""
    with tempfile.TemporaryDirectory() as place:
        store = collect(CollectConfig(out=Path(place) / "data", episodes=40, workers=1))
        disk, memory = store.load(memory_limit_bytes=0), store.load()
        ids, size = range(store.episode_count), store.header.image_size
        rates = {}
        for name, episodes in (("disk", disk), ("memory", memory)):
            sampler = WindowSampler(episodes, ids, FRAMES, STRIDE, BATCH, seed=0)
            steps = iter(range(10**9))
            rate = per_second(lambda s=sampler, i=steps: s.sample(next(i)), options.seconds)
            rates[name] = BATCH * rate
        rows = np.arange(store.row_count).reshape(store.episode_count, -1)
        np.savez(
            options.frames, pixels=memory.pixels[rows], action=memory.action[rows],
            window=FRAMES, stride=STRIDE,
        )  # fmt: skip
    return {"windows_per_s": rates, "num_steps": FRAMES, "frameskip": STRIDE, "image_size": size}


def env(options: argparse.Namespace) -> Result:
    """Frames a second of Reacher: two physics steps and a picture, by profile and size."""
    rates, rng = {}, np.random.default_rng(0)
    for profile, size in (("fast", 64), ("dmc", 64), ("dmc", 224)):
        arm = ReacherSimulator()
        camera = Renderer(arm, profile, size)

        def step(arm: ReacherSimulator = arm, camera: Renderer = camera) -> None:
            arm.step(rng.uniform(-1, 1, 2))
            camera.render_pose(arm.qpos_rad)

        rates[f"{profile} {size}"] = per_second(step, options.seconds)
        camera.close()
    return {"frames_per_s": rates}


def per_second(step: Callable[[], object], seconds: float) -> float:
    """Calls a second, after one to warm up, for at least ``seconds`` and two calls."""
    step()
    started_s, count = time.perf_counter(), 0
    while count < 2 or time.perf_counter() - started_s < seconds:
        step()
        count += 1
    return count / (time.perf_counter() - started_s)


MEASUREMENTS: dict[str, Callable[[argparse.Namespace], Result]] = {
    "plan": plan,
    "train": train,
    "read": read,
    "env": env,
}

if __name__ == "__main__":
    main()
