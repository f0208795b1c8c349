"""Posed arm, Ornstein–Uhlenbeck joint angles: does LeJEPA find the angles in pictures?

The experiment of (Klindt, LeCun & Balestriero 2026, arXiv:2605.26379) with our renderer and
encoder, in two worlds.

``as-published``: angles from N(0, I) rad. An arm turned by 2π looks the same, so the picture does
not determine the angle, g is not injective, and R² against the raw angle cannot pass
:func:`studies.poses.picture_ceiling` = 0.949 with any encoder.
``one-turn``: the same without the 0.3 % of poses with an angle beyond ±π, so that g is injective,
as the theorem asks.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from agent.interfaces import Array, Image
from studies.intervals import mean_interval
from studies.made_once import made_once
from studies.pair_encoder import Indices, PairTraining, embed, train_on_pairs
from studies.poses import draw_poses, ou_partners, picture_ceiling, render_poses
from studies.probes import angle_r2
from studies.study import Preset, Row, Settings, Study, bar, seeds_of
from studies.theory import Pairs, recovery

RHOS = (0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99)
PUBLISHED_R2 = dict(zip(RHOS, (0.67, 0.86, 0.93, 0.94, 0.95, 0.95, 0.95), strict=True))
WORLDS = ("one-turn", "as-published")
SIGREG_WEIGHT = 0.15
_PARTNERS = 32
_SIZES = {
    "poses": 10_000, "test_poses": 2_000, "image_size": 32, "channels": [8, 16, 32],
    "hidden": 128, "steps": 1000, "batch": 256,
}  # fmt: skip
# Four times the poses and pixels, twice the channels and steps: what it would give to be larger.
_LARGER = {
    "poses": 40_000, "test_poses": 2_000, "image_size": 64, "channels": [16, 32, 64],
    "hidden": 256, "steps": 2000, "batch": 256,
}  # fmt: skip
_LARGER_RHO = 0.9
# Near ρ = 1 a step is so short that the encoder's own roughness weighs as much as it; at .3 a pair
# has so little in common that it takes as many more of them to tell what lasts.
_LONGER = {0.3: 3, 0.95: 2, 0.99: 3}


def jobs(preset: Preset) -> list[dict[str, Any]]:
    """One run per world, ρ and seed; quick has one seed, and the published world at ρ = .9 only.

    ``full`` holds ``quick``, and beside it one run in the world ``one-turn`` that is larger.
    """
    if preset == "quick":
        chosen = [("one-turn", rho, 0) for rho in RHOS] + [("as-published", 0.9, 0)]
        return [_settings(world, rho, seed, _SIZES) for world, rho, seed in chosen]
    chosen = [(world, rho, seed) for world in WORLDS for rho in RHOS for seed in range(3)]
    larger = _settings("one-turn", _LARGER_RHO, 0, _LARGER)
    return [larger, *(_settings(world, rho, seed, _SIZES) for world, rho, seed in chosen)]


def _settings(world: str, rho: float, seed: int, sizes: Settings) -> dict[str, Any]:
    steps = sizes["steps"] * _LONGER.get(rho, 1)
    which = {"world": world, "rho": rho, "seed": seed, "sigreg_weight": SIGREG_WEIGHT}
    return {**which, **sizes, "steps": steps}


def measure(settings: Settings, scratch: Path) -> dict[str, Any]:
    """Train on OU pairs of posed arms and probe on poses of the same law that were never seen."""
    poses, frames = _pool(settings, scratch, "train", settings["poses"])
    test_poses, test_frames = _pool(settings, scratch, "test", settings["test_poses"])
    pair_seed, *_ = seeds_of(settings["seed"], 3)
    partners = ou_partners(poses, settings["rho"], _PARTNERS, pair_seed)

    def draw(rng: np.random.Generator, batch: int) -> tuple[Indices, Indices]:
        here = rng.integers(len(poses), size=batch)
        return here, partners[here, rng.integers(_PARTNERS, size=batch)]

    encoder = train_on_pairs(frames, draw, PairTraining.of(settings))
    embeddings = (embed(encoder, frames), embed(encoder, test_frames))
    return {
        **angle_r2(embeddings, (poses, test_poses)),
        **_theory(embeddings[1], test_poses, settings["rho"]),
    }


def _theory(embeddings: Array, poses: Array, rho: float) -> dict[str, float | None]:
    """The paper's quantities on unseen poses; its bound is a promise for ``one-turn`` alone."""
    partners = ou_partners(poses, rho, 1, seed=0)[:, 0]
    pairs = Pairs(poses, poses[partners], embeddings, embeddings[partners])
    return recovery(pairs, rho).as_row()


def _pool(settings: Settings, scratch: Path, part: str, count: int) -> tuple[Array, Image]:
    """Poses and pictures of one part; all runs of a seed share them, whatever their ρ."""
    size, seed = settings["image_size"], settings["seed"]
    pool_seed, *_ = seeds_of(seed, ("train", "test").index(part))
    poses = draw_poses(np.random.default_rng(pool_seed), count)
    shared = scratch.parent / f"poses-{part}-{count}-{size}-{seed}"
    frames = made_once(shared, lambda: {"frames": render_poses(poses, size)})["frames"]
    if settings["world"] == "one-turn":
        inside = (np.abs(poses) < np.pi).all(1)
        return poses[inside], frames[inside]
    return poses, frames


def conclude(rows: Sequence[Row]) -> dict[str, Any]:
    """R² by world and ρ with intervals, the published figures, and the bars."""
    usual = [row for row in rows if not is_larger(row)]
    worlds = {world: _by_rho(usual, world) for world in WORLDS}
    larger = [row["r2_raw"] for row in rows if is_larger(row)]
    return {
        "r2": worlds,
        "r2_larger": {str(_LARGER_RHO): mean_interval(larger)} if larger else {},
        "published_r2": {str(rho): value for rho, value in PUBLISHED_R2.items()},
        "raw_ceiling_as_published": picture_ceiling(),
        "bars": _bars(worlds["one-turn"]),
    }


def is_larger(row: Row) -> bool:
    """Whether a row is of the run with more poses, pixels, channels and steps than the others."""
    return bool(row["image_size"] == _LARGER["image_size"])


def _by_rho(rows: Sequence[Row], world: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for rho in RHOS:
        chosen = [row for row in rows if row["world"] == world and row["rho"] == rho]
        if chosen:
            found[str(rho)] = {
                name: mean_interval([row[name] for row in chosen])
                for name in ("r2_raw", "r2_wrapped", "r2_sincos")
            }
    return found


def _bars(one_turn: dict[str, Any]) -> dict[str, Any]:
    bars = {}
    for rho in RHOS:
        if str(rho) in one_turn:
            least = PUBLISHED_R2[rho] if rho < 0.9 else 0.98
            value = one_turn[str(rho)]["r2_raw"]["mean"]
            bars[f"R² at rho {rho}"] = bar(value, f"at least {least}", value >= least)
    return bars


STUDY = Study(
    name="reacher-ou",
    summary="Joint angles from pictures of a posed arm: linear R² against the pairs' correlation.",
    jobs=jobs,
    measure=measure,
    conclude=conclude,
)
