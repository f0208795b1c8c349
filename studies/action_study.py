"""The action-conditioned world model: does it find the angles, and does that buy control?

The theorems need an encoder as wide as the world and know no actions. Here world models of width D
= 2 … 192 learn from torques that make the angles Gaussian and stationary (``gaussian``) or do not
(``ou``, ``uniform``). Each is probed on held-out episodes of its own data and then drives the arm
to goal pictures in closed loop, on episodes that no data set holds. So each run is a dot: what a
straight line reads from the embedding against what the controller reaches.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from agent.config import ExperimentConfig
from agent.control.mpc import WorldModelController
from agent.control.torch_model import TorchModel
from agent.data import CollectConfig, Episodes, RolloutStore, collect
from agent.evaluation.play import evaluate
from agent.evaluation.statistics import wilson
from agent.files.bundle import CHECKPOINT, STATE, has_bundle
from agent.files.lock import exclusive
from agent.model.checkpoint import load_checkpoint
from agent.model.encoder import EncoderConfig
from agent.model.predictor import PredictorConfig
from agent.model.world_model import WorldModel, WorldModelConfig
from agent.training.diagnostics import embed_episodes
from agent.training.settings import TrainingConfig
from agent.training.trainer import Trainer, TrainingStoppedError
from envs import make_world, task_named
from envs.reacher import wrap_angle
from studies.intervals import mean_interval, rank_correlation
from studies.probes import (
    Split,
    angle_r2,
    held_out_r2,
    scaled_orthogonality_error,
    sines_and_cosines,
)
from studies.study import Preset, Row, Settings, Study, seeds_of

PROTOCOLS = ("lewm", "anywhere")
BEHAVIOURS = ("gaussian", "ou", "uniform")
WIDTHS = (2, 4, 8, 32, 192)
EVALUATION_SEED = 5000  # 3000 was looked at when the sizes of quick were chosen
HELD_OUT = 0.2
PLAIN_SHARE = 0.1  # of plain distance in the goal's metric, as the shipped model has it
_QUICK = {
    "image_size": 32, "data_episodes": 150, "steps": 1500, "batch": 32, "width": 256,
    "eval_episodes": 40,
}  # fmt: skip
_FULL = {
    "image_size": 64, "data_episodes": 400, "steps": 3000, "batch": 64, "width": 256,
    "eval_episodes": 100,
}  # fmt: skip
_CONTROL = [f"{protocol}_{rule}" for protocol in PROTOCOLS for rule in ("touch", "held")]
_R2 = ("r2_raw", "r2_wrapped", "r2_sincos", "r2_velocity")


def jobs(preset: Preset) -> list[dict[str, Any]]:
    """One run per data, D and seed; quick has one seed on two kinds of data."""
    is_quick = preset == "quick"
    behaviours = ("gaussian", "ou") if is_quick else BEHAVIOURS
    sizes, seeds = (_QUICK, 1) if is_quick else (_FULL, 3)
    return [
        {"behaviour": behaviour, "latent_dim": width, "seed": seed, **sizes}
        for behaviour in behaviours
        for width in WIDTHS
        for seed in range(seeds)
    ]


def measure(settings: Settings, scratch: Path) -> dict[str, Any]:
    """Train a world model, probe its embedding, let it drive; only ``collapsed`` if it has."""
    store = _data(settings, scratch.parent)
    try:
        model = _trained(settings, store.directory, scratch / "training")
    except TrainingStoppedError:
        return {"collapsed": True}
    driven = _drive(model, settings["eval_episodes"])
    return {"collapsed": False, **_probe(model, store), **driven}


def _data(settings: Settings, shared: Path) -> RolloutStore:
    """Rollouts of one behaviour and seed; runs of other widths share them."""
    seed, name = settings["seed"], settings["behaviour"]
    out = shared / f"{name}-{settings['data_episodes']}-{settings['image_size']}-{seed}"
    config = CollectConfig(
        out=out,
        episodes=settings["data_episodes"],
        episode_steps=100,
        behaviour=name,
        workers=1,
        seed=seeds_of(seed, 0)[0] % 2**31,
        image_size=settings["image_size"],
    )
    with exclusive(shared / f"{out.name}.lock", out, wait=True):
        return collect(config)


def _trained(settings: Settings, data: Path, out: Path) -> WorldModel:
    """The world model, from where an interruption left it."""
    if not has_bundle(out / CHECKPOINT):
        resume = has_bundle(out / STATE)
        for _ in Trainer(data, out, _experiment(settings), resume).run():
            pass
    return load_checkpoint(out / CHECKPOINT).eval()


def _experiment(settings: Settings) -> ExperimentConfig:
    steps = settings["steps"]
    return ExperimentConfig(
        WorldModelConfig(
            EncoderConfig(settings["latent_dim"]),
            PredictorConfig(width=settings["width"]),
            plain_share=PLAIN_SHARE,
        ),
        TrainingConfig(
            steps=steps,
            batch=settings["batch"],
            holdout_fraction=HELD_OUT,
            diagnose_every=steps,
            save_every=max(1, steps // 4),
            seed=seeds_of(settings["seed"], 1)[0] % 2**31,
            threads=torch.get_num_threads(),
        ),
    )


def _probe(model: WorldModel, store: RolloutStore) -> dict[str, Any]:
    """R² of angles from one embedding and of velocities from two, a model step apart."""
    episodes = store.load()
    parts = store.split(HELD_OUT)
    lag = model.config.action_block
    single, double, angles, speeds = [], [], [], []
    for ids in parts:
        embeddings = embed_episodes(model, episodes, ids)
        single.append(np.concatenate([z[lag:] for z in embeddings]))
        double.append(np.concatenate([np.hstack([z[:-lag], z[lag:]]) for z in embeddings]))
        angles.append(_states(episodes, ids, lag)[:, :2])
        speeds.append(_states(episodes, ids, lag)[:, 2:])
    held_out = np.asarray(single[1], np.float64)
    return {
        **angle_r2(_split(single), _split(angles)),
        "r2_velocity": float(held_out_r2(_split(double), _split(speeds)).mean()),
        "orthogonality_error": scaled_orthogonality_error(wrap_angle(angles[1]), held_out),
        "orthogonality_error_sincos": scaled_orthogonality_error(
            sines_and_cosines(angles[1]), held_out
        ),
    }


def _states(episodes: Episodes, ids: Any, lag: int) -> Any:
    """Angles, then velocities (N, 4) of all rows that have one ``lag`` before them."""
    return np.concatenate([episodes.state[episodes.rows(int(i))][lag:] for i in ids])


def _split(parts: Sequence[Any]) -> Split:
    return parts[0], parts[1]


def _drive(model: WorldModel, episodes: int) -> dict[str, float]:
    """Shares of episodes that touched the goal and held it, those solved at the start left out."""
    spec, shares = model.spec, dict[str, float]()
    camera = partial(make_world, spec.world, spec.look, spec.image_size[0])
    world = camera()
    for name in PROTOCOLS:
        controller = WorldModelController(TorchModel(model))
        trials = evaluate(
            controller, task_named(name, world), camera, episodes, EVALUATION_SEED,
            timed_episodes=0,
        )  # fmt: skip
        open_ones = [t.verdict for t in trials if not t.verdict.solved_at_start]
        shares[f"{name}_touch"] = float(np.mean([result.first_touch for result in open_ones]))
        shares[f"{name}_held"] = float(np.mean([result.held for result in open_ones]))
        shares[f"{name}_error_rad"] = float(np.median([r.final_error for r in open_ones]))
        shares[f"{name}_episodes"] = len(open_ones)
    return shares


def conclude(rows: Sequence[Row]) -> dict[str, Any]:
    """Means by data and width, control rates with intervals, rank correlations of R² with them.

    Collapsed runs are counted and then left out: there is nothing to probe or to drive.
    """
    whole = [row for row in rows if not row["collapsed"]]
    table: dict[str, Any] = {}
    for row in whole:
        mine = [r for r in whole if _kind(r) == _kind(row)]
        table.setdefault(row["behaviour"], {})[str(row["latent_dim"])] = _entry(mine)
    links = {r2: {rule: _link(whole, r2, rule) for rule in _CONTROL} for r2 in _R2}
    counts = {"runs": len(rows), "collapsed": len(rows) - len(whole)}
    return {"models": table, "rank_correlation": links, **counts, "bars": {}}


def _kind(row: Row) -> tuple[str, int]:
    return row["behaviour"], row["latent_dim"]


def _entry(rows: Sequence[Row]) -> dict[str, Any]:
    errors = ("orthogonality_error", "orthogonality_error_sincos")
    entry: dict[str, Any] = {n: mean_interval([r[n] for r in rows]) for n in (*_R2, *errors)}
    for rule in _CONTROL:
        trials = [int(row[f"{rule.split('_')[0]}_episodes"]) for row in rows]
        hits = sum(round(row[rule] * n) for row, n in zip(rows, trials, strict=True))
        rate = wilson(hits, sum(trials))
        entry[rule] = {"rate": rate.rate, "low": rate.low, "high": rate.high, "n": sum(trials)}
    return entry


def _link(rows: Sequence[Row], first: str, second: str) -> dict[str, float] | None:
    return rank_correlation([row[first] for row in rows], [row[second] for row in rows])


STUDY = Study(
    name="action",
    summary="World models with actions: linear R² of angles, velocities; closed-loop success.",
    jobs=jobs,
    measure=measure,
    conclude=conclude,
)
