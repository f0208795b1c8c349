"""One measurement of ours, under the same name and flags as ``swm_peer.py`` has it.

.venv/bin/python benchmarks/swm_ours.py plan --threads 2 --out plan.json
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import torch

from agent.config import default
from agent.control.mpc import WorldModelController
from agent.control.torch_model import TorchModel
from agent.data import CollectConfig, WindowSampler, collect
from agent.data.windows import Drawing
from agent.export.exporting import export_controller
from agent.export.onnx_model import OnnxModel
from agent.interfaces import Controller, Goals, Seen
from agent.model.checkpoint import load_checkpoint
from agent.model.world_model import WorldModel
from agent.training.objective import regularised_loss
from agent.training.regularisers import make_regulariser
from envs import DEFAULT_WORLD, World, WorldSpec, configure_gl, make_world

CHECKPOINT = Path("checkpoints/reacher")
FRAMES, STRIDE, BATCH = 8, 2, 64
TICKS, WARM_UP = 100, 10
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
    network = load_checkpoint(CHECKPOINT)
    with tempfile.TemporaryDirectory() as place:
        export_controller(network, Path(place) / "exported", {})
        exported = OnnxModel(Path(place) / "exported", options.threads)
        controllers: dict[str, Controller] = {
            "torch": WorldModelController(TorchModel(network)),
            "onnx": WorldModelController(exported, exported.planner, exported.control),
        }
        spent_ms = {name: _ticks_ms(each, network.spec) for name, each in controllers.items()}
    return {
        "ms_per_plan": float(np.median(spent_ms["torch"])),
        "ms_per_plan_p95": float(np.percentile(spent_ms["torch"], 95)),
        "ms_per_plan_onnx": float(np.median(spent_ms["onnx"])),
        "ms_per_plan_onnx_p95": float(np.percentile(spent_ms["onnx"], 95)),
        "timed": f"median of {TICKS} ticks in closed loop",
        "env_steps_ahead": exported.control.horizon * exported.action_block,
        "parameters": sum(p.numel() for p in network.parameters()),
    }


def _ticks_ms(controller: Controller, spec: WorldSpec) -> list[float]:
    rng, spent_ms = np.random.default_rng(5), []
    with closing(make_world(spec.world, spec.look, spec.image_size[0])) as world:
        goal = world.picture(world.sample_state(rng))
        world.reset(rng)
        controller.reset(Goals(pixels=goal[None]), [5])
        for tick in range(-WARM_UP, TICKS):
            seen = Seen(pixels=world.frame()[None])
            before_s = time.perf_counter()
            action = controller.act(seen).actions[0]
            spent_ms += [1e3 * (time.perf_counter() - before_s)] if tick >= 0 else []
            world.step(action)
    return spent_ms


def train(options: argparse.Namespace) -> Result:
    """Frames a second of our loss, forward and backward."""
    config, spec = default(), load_checkpoint(CHECKPOINT).spec
    model, training = WorldModel(config.model, spec).train(), config.training
    batch, window, draw = training.batch, training.window_frames, torch.Generator().manual_seed(0)
    frames = torch.randint(0, 256, (batch, window, *spec.image_size, 3), generator=draw).byte()
    width = config.model.action_block * spec.action_dim
    actions = torch.rand(batch, window - 1, width, generator=draw)
    regulariser, weight = make_regulariser(training), training.sigreg_weight

    def step() -> None:
        terms = regularised_loss(
            model, regulariser, frames, actions, weight, draw, training.multi_step
        )
        terms.total.backward()
        model.zero_grad()

    rate = batch * window * per_second(step, options.seconds)
    return {"frames_per_s": rate, "windows_per_batch": batch, "image_size": spec.image_size[0]}


def read(options: argparse.Namespace) -> Result:
    """Windows a second from our files on disk, and from memory, batches of 64."""
    with tempfile.TemporaryDirectory() as place:
        store = collect(CollectConfig(out=Path(place) / "data", episodes=40, workers=1))
        disk, memory = store.load(memory_limit_bytes=0), store.load()
        ids, size = range(store.episode_count), store.header.spec.image_size[0]
        rates = {}
        for name, episodes in (("disk", disk), ("memory", memory)):
            sampler = WindowSampler(episodes, ids, Drawing(FRAMES, STRIDE, BATCH, seed=0))
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
    """Frames a second of Reacher: two physics steps and a picture, by look and size."""
    rates = {}
    for look, size in (("fast", 64), ("dmc", 64), ("dmc", 224)):
        with closing(make_world(DEFAULT_WORLD, look, size)) as world:
            rates[f"{look} {size}"] = per_second(_random_step(world), options.seconds)
    return {"frames_per_s": rates}


def _random_step(world: World) -> Callable[[], object]:
    rng, width = np.random.default_rng(0), world.spec.action_dim
    world.reset(rng)

    def step() -> object:
        world.step(rng.uniform(-1, 1, width))
        return world.frame()

    return step


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
