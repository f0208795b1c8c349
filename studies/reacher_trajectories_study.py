"""Pairs from real motion: what is left of the angles when time, not a formula, makes the pairs.

Frames of rollouts a stride apart take the place of OU pairs, everything else is as in
:mod:`studies.reacher_ou_study`. What moves the arm decides what can be found:

``gaussian``    torques that make both angles stationary and Gaussian, the theorem's world: the
                angles themselves, from as many outputs D as there are joints
``ou``, ``uniform``  torques that aim at nothing. The shoulder goes round, so that no embedding can
                be Gaussian; sine and cosine of both joints, from more outputs than joints
``controller``  from pose to pose: the arm rests, leaves and rests elsewhere

Each has a cell of its own, :data:`HEADLINE`, around which one thing at a time is varied: D together
with the objective, the stride, the number of episodes. :mod:`studies.slow_features` says what the
motion itself allows, for every stride and D.

Published for comparison (Klindt, LeCun & Balestriero 2026, arXiv:2605.26379): at best .80 and .78,
at stride 8, other strides far lower; with a probe that is fitted on the motion and scored on poses
from N(0, I), which ``r2_on_poses`` repeats.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import kurtosis

from agent.interfaces import Array, Image
from envs.reacher import wrap_angle
from studies.made_once import made_once
from studies.motion_summary import (
    DIMENSIONS,
    EPISODES,
    HEADLINE,
    MOST,
    SEEDS,
    SLOWEST,
    conclude,
    is_angular,
)
from studies.pair_encoder import PairTraining, embed, train_on_pairs
from studies.poses import draw_poses, render_poses
from studies.probes import (
    angle_r2,
    held_out_r2,
    scaled_orthogonality_error,
    sines_and_cosines,
    white_step,
)
from studies.records import key
from studies.slow_features import of_circle_and_interval, of_lines, slowest
from studies.study import Preset, Settings, Study, seeds_of
from studies.trajectories import SOURCES, STRIDES, Pool, apart, draw_from

WEIGHTS = {"lejepa": 0.15, "subspaces": 0.15, "vicreg": 1.0, "whitening": 0.0}  # λ
_CURVE = (125, 250, 500, 1000, EPISODES)
_SIZES = {
    "episodes": EPISODES, "test_episodes": 150, "test_poses": 2000, "image_size": 32,
    "channels": [8, 16, 32], "hidden": 128, "batch": 256,
}  # fmt: skip
_PROBED_EPISODES = 500


def jobs(preset: Preset) -> list[dict[str, Any]]:
    """Every cell once: the headlines, with all their seeds in ``full``, then what is varied around
    them. ``full`` holds ``quick``.
    """
    seeds = SEEDS if preset == "full" else SEEDS[:1]
    headlines = [_cell(source, seed=seed) for seed in seeds for source in SOURCES]
    cells = [*headlines, *_quick(), *(_full() if preset == "full" else ())]
    return list({key(job): job for job in cells}.values())


def _quick() -> Iterator[dict[str, Any]]:
    """One run each of what is told apart by one."""
    yield from _slow_functions((2, 8, 32))
    yield from (_cell("gaussian", objective="whitening", latent_dim=d) for d in (2, 16))
    yield _cell("uniform", objective="lejepa", latent_dim=16)
    yield from (_cell("gaussian", episodes=episodes) for episodes in (125, 500, 1000))
    yield from (_cell("uniform", objective=one, latent_dim=2) for one in ("lejepa", "whitening"))
    yield _cell("gaussian", latent_dim=16)
    yield from (_cell("gaussian", stride=stride) for stride in (1, 64))


def _slow_functions(strides: Sequence[int]) -> Iterator[dict[str, Any]]:
    for source in SOURCES:
        yield from (_cell(source, objective=SLOWEST, stride=stride) for stride in strides)


def _full() -> Iterator[dict[str, Any]]:
    """The rival objectives where they are told apart, and every D, stride and number."""
    for source in SOURCES:
        rivals = source in ("gaussian", "uniform")
        for objective in tuple(WEIGHTS) if rivals else ("lejepa", "whitening"):
            yield from (_cell(source, objective=objective, latent_dim=d) for d in DIMENSIONS)
    for source in ("gaussian", "uniform"):
        yield from (_cell(source, episodes=episodes) for episodes in _CURVE)
    yield from (_cell(source, stride=stride) for source in SOURCES for stride in STRIDES)
    yield from _slow_functions(STRIDES)


def _cell(source: str, **changed: Any) -> dict[str, Any]:
    """Settings of the headline of a source, but for what is ``changed``."""
    settings = {"source": source, "seed": 0, **_SIZES, **HEADLINE[source], **changed}
    pool = max(EPISODES, settings["episodes"])
    weight = WEIGHTS.get(settings["objective"], 0.0)
    return {**settings, "pool_episodes": pool, "sigreg_weight": weight}


def measure(settings: Settings, scratch: Path) -> dict[str, Any]:
    """Train on pairs of one stride; probe on other episodes of the same source, and on poses."""
    if settings["objective"] == SLOWEST:
        return _slowest(settings, scratch)
    stride = settings["stride"]
    train = _pool(settings, scratch, "train").frames(stride).first(settings["episodes"])
    pairs = train.pairs(stride)
    encoder = train_on_pairs(train.frames, partial(draw_from, pairs), PairTraining.of(settings))
    known = train.first(min(settings["episodes"], _PROBED_EPISODES))
    test = _pool(settings, scratch, "test").frames(stride)
    features, unseen = embed(encoder, known.frames), embed(encoder, test.frames)
    poses_rad, pictures = _posed(settings, scratch)
    on_poses = (features, embed(encoder, pictures))
    return {
        **angle_r2((features, unseen), (known.qpos_rad, test.qpos_rad)),
        "r2_on_poses_by_joint": held_out_r2(on_poses, (known.qpos_rad, poses_rad)).tolist(),
        "orthogonality_error": scaled_orthogonality_error(wrap_angle(test.qpos_rad), unseen),
        "white_step": white_step(features, known.pairs(stride)),
        "white_step_of_joints": white_step(known.qpos_rad, known.pairs(stride)),
        "pair_correlation": train.correlation(stride),
        "angle_excess_kurtosis": kurtosis(wrap_angle(test.qpos_rad)).tolist(),
    }


def _slowest(settings: Settings, scratch: Path) -> dict[str, Any]:
    """R² of the source's coordinates from the slowest functions of its joints, by their number."""
    source, stride = settings["source"], settings["stride"]
    paths = [_pool(settings, scratch, part).paths() for part in ("train", "test")]
    functions = of_lines if is_angular(source) else of_circle_and_interval
    here, there = (functions(part.reshape(-1, 2)) for part in apart(paths[0], stride))
    joints = tuple(path[:, ::stride].reshape(-1, 2) for path in paths)
    targets = joints if is_angular(source) else tuple(map(sines_and_cosines, joints))
    found = {}
    for dimension in (d for d in (*DIMENSIONS, MOST) if d <= here.shape[1]):
        weights = slowest(here, there, dimension)
        values = tuple(functions(angles) @ weights for angles in joints)
        found[str(dimension)] = held_out_r2(values, targets).tolist()
    return {"r2_slowest": found}


def _pool(settings: Settings, scratch: Path, part: str) -> Pool:
    """Of one part; runs of one source and seed share it, whatever else they vary."""
    source, size, seed = settings["source"], settings["image_size"], settings["seed"]
    own_seed, *_ = seeds_of(seed, ("train", "test").index(part))
    episodes = settings["pool_episodes" if part == "train" else "test_episodes"]
    keep = scratch.parent / f"{source}-{part}-{episodes}-{size}-{seed}"
    return Pool(SOURCES[source], episodes, size, own_seed, keep)


def _posed(settings: Settings, scratch: Path) -> tuple[Array, Image]:
    """Angles from N(0, I) rad and pictures of them, the same for all runs."""
    count, size = settings["test_poses"], settings["image_size"]
    poses_rad = draw_poses(np.random.default_rng(seeds_of(0, 4)[0]), count)
    pictures = made_once(
        scratch.parent / f"poses-{count}-{size}", lambda: {"frames": render_poses(poses_rad, size)}
    )
    return poses_rad, pictures["frames"]


STUDY = Study(
    name="reacher-trajectories",
    summary="The joints from pictures of the moving arm: linear R² by source, objective and D.",
    jobs=jobs,
    measure=measure,
    conclude=conclude,
)
