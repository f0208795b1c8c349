"""One measurement of stable-worldmodel, run by the interpreter of its own environment.

    ENV/bin/python benchmarks/swm_peer.py plan --threads 2 --out plan.json

Imports nothing of ours. The network is LeWM as its authors train it on Reacher (Maes et al. 2026,
arXiv:2603.19312): ViT-tiny with patches of 14 px on 224x224, 192 numbers, projectors 2048 wide, a
causal transformer of 6 layers and 16 heads over 3 frames, 5 env steps of 2 torques a block. Its
weights are random, which changes no time. The planner is the package's CEM with its defaults: 300
samples, 30 iterations, 30 elites; horizon 5 blocks.
"""

from __future__ import annotations

import argparse
import functools
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

SIZE, LATENT, BLOCK, TORQUES, CONTEXT = 224, 192, 5, 2, 3
HORIZON, SAMPLES, ITERATIONS, ELITES = 5, 300, 30, 30
SIGREG_WEIGHT = 0.09
Result = dict[str, Any]


def main() -> None:
    """Measure what was asked for and write it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=sorted(MEASUREMENTS))
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True, help="where to write the result")
    parser.add_argument("--seconds", type=float, default=3.0, help="for each rate, at least")
    parser.add_argument("--windows", type=int, default=8, help="windows in a training batch")
    parser.add_argument("--frames", type=Path, help="episodes to read: .npz of pixels and action")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    options.out.write_text(json.dumps(MEASUREMENTS[options.what](options)), encoding="utf-8")


def plan(options: argparse.Namespace) -> Result:
    """One whole plan, encoding included, after one of a single iteration to warm up."""
    model = lewm().eval()
    spent_s = [_plan_s(model, iterations) for iterations in (1, ITERATIONS)]
    return {
        "ms_per_plan": 1e3 * spent_s[1],
        "timed": "one plan, after a plan of one iteration",
        "samples": SAMPLES,
        "iterations": ITERATIONS,
        "horizon_blocks": HORIZON,
        "env_steps_per_block": BLOCK,
        "parameters": sum(p.numel() for p in model.parameters()),
    }


def _plan_s(model: torch.nn.Module, iterations: int) -> float:
    from gymnasium.spaces import Box
    from stable_worldmodel import PlanConfig
    from stable_worldmodel.solver import CEMSolver

    solver = CEMSolver(model, num_samples=SAMPLES, n_steps=iterations, topk=ELITES)
    space = Box(-1.0, 1.0, (1, TORQUES), np.float32)
    config = PlanConfig(horizon=HORIZON, receding_horizon=HORIZON, action_block=BLOCK)
    solver.configure(action_space=space, n_envs=1, config=config)
    seen = {
        "pixels": torch.rand(1, 1, 3, SIZE, SIZE),
        "goal": torch.rand(1, 1, 3, SIZE, SIZE),
        "action": torch.zeros(1, 1, BLOCK * TORQUES),
    }
    started_s = time.perf_counter()
    solver.solve(seen)
    return time.perf_counter() - started_s


def train(options: argparse.Namespace) -> Result:
    """Frames a second of its loss, forward and backward, in float32."""
    from stable_worldmodel.wm.loss import SIGReg

    model, sigreg = lewm().train(), SIGReg(knots=17, num_proj=1024)
    frames = torch.rand(options.windows, CONTEXT + 1, 3, SIZE, SIZE)
    actions = torch.rand(options.windows, CONTEXT + 1, BLOCK * TORQUES)

    def step() -> None:
        seen = model.encode({"pixels": frames, "action": actions})
        predicted = model.predict(seen["emb"][:, :CONTEXT], seen["act_emb"][:, :CONTEXT])
        error = (predicted - seen["emb"][:, 1:]).square().mean()
        (error + SIGREG_WEIGHT * sigreg(seen["emb"].transpose(0, 1))).backward()
        model.zero_grad()

    rate = options.windows * (CONTEXT + 1) * per_second(step, options.seconds)
    return {"frames_per_s": rate, "windows_per_batch": options.windows, "image_size": SIZE}


def read(options: argparse.Namespace) -> Result:
    """Windows a second of each of its file formats, through torch's loader, batches of 64."""
    from stable_worldmodel.data.formats.hdf5 import HDF5Dataset, HDF5Writer
    from stable_worldmodel.data.formats.lance import LanceDataset, LanceWriter

    with np.load(options.frames) as file:
        pixels, actions = file["pixels"], file["action"]
        rows = zip(pixels, actions, strict=True)
        episodes = [{"pixels": list(p), "action": list(a)} for p, a in rows]
        window = {"num_steps": int(file["window"]), "frameskip": int(file["stride"])}
    formats = {"hdf5": (HDF5Writer, HDF5Dataset, ".h5"), "lance": (LanceWriter, LanceDataset, "")}
    rates: Result = {}
    with tempfile.TemporaryDirectory() as place:
        for name, (writer, reader, suffix) in formats.items():
            path = Path(place) / f"rollouts{suffix or '.lance'}"
            with writer(path) as out:
                out.write_episodes(episodes)
            rates[name] = _windows_per_s(reader(path=path, **window), options.seconds)
    return {"windows_per_s": rates, **window, "image_size": int(pixels.shape[2])}


def _windows_per_s(dataset: Any, seconds: float) -> float:
    batch = 64
    loader = torch.utils.data.DataLoader(dataset, batch, shuffle=True, drop_last=True)
    batches = iter(loader)

    def step() -> None:
        nonlocal batches
        if next(batches, None) is None:
            batches = iter(loader)

    return batch * per_second(step, seconds)


def env(options: argparse.Namespace) -> Result:
    """Frames a second of its Reacher: two physics steps, a picture, and what it does around it."""
    import stable_worldmodel as swm

    rates = {}
    for size in (SIZE, 64):
        world = swm.World("swm/ReacherDMControl-v0", 1, (size, size), task="qpos_match")
        world.set_policy(swm.policy.RandomPolicy(seed=0))
        world.reset(seed=0)
        step = functools.partial(_step_world, world)
        rates[str(size)] = per_second(step, options.seconds)
        world.close()
    return {"frames_per_s": rates}


def _step_world(world: Any) -> None:
    world.envs.step(world.policy.get_action(world.infos))


def lewm() -> torch.nn.Module:
    """LeWM with random weights."""
    from stable_pretraining.backbone.utils import vit_hf
    from stable_worldmodel.wm.lewm import LeWM
    from stable_worldmodel.wm.lewm.module import MLP, Embedder, Predictor

    def head() -> torch.nn.Module:
        return MLP(LATENT, 2048, LATENT, norm_fn=torch.nn.BatchNorm1d)

    predictor = Predictor(
        num_frames=CONTEXT, input_dim=LATENT, hidden_dim=LATENT, output_dim=LATENT,
        depth=6, heads=16, mlp_dim=2048, dim_head=64, dropout=0.1,
    )  # fmt: skip
    vit = vit_hf("tiny", patch_size=14, image_size=SIZE, pretrained=False, use_mask_token=False)
    actions = Embedder(input_dim=BLOCK * TORQUES, emb_dim=LATENT)
    return LeWM(vit, predictor, actions, projector=head(), pred_proj=head())


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
