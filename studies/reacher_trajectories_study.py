"""Pairs from real motion: what is left of the angles when time, not a formula, makes the pairs.

Frames of rollouts a stride apart take the place of OU pairs, everything else is as in
:mod:`studies.reacher_ou_study`. The theorem's world is broken in several ways at once
for random torques and for a controller: angles are not Gaussian, the shoulder winds, joints forget
at different rates. The behaviour ``gaussian`` mends what can be mended by torques.

Published for comparison (Klindt, LeCun & Balestriero 2026, arXiv:2605.26379): at best .80 and .78,
at stride 8, other strides far lower.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from scipy.stats import kurtosis

from envs.reacher import wrap_angle
from studies.intervals import mean_interval
from studies.pair_encoder import PairTraining, embed, train_on_pairs
from studies.probes import angle_r2, scaled_orthogonality_error
from studies.study import Preset, Row, Settings, Study, bar, seeds_of
from studies.trajectories import (
    SOURCES,
    STRIDES,
    MovingFrames,
    draw_from,
    moving_frames,
)

PUBLISHED_BEST_R2 = 0.80
SIGREG_WEIGHT = 0.15
_QUICK = {
    "episodes": 250, "test_episodes": 60, "image_size": 32, "channels": [8, 16, 32],
    "hidden": 128, "steps": 500, "batch": 256,
}  # fmt: skip
_FULL = {
    "episodes": 1000, "test_episodes": 200, "image_size": 64, "channels": [16, 32, 64],
    "hidden": 256, "steps": 3000, "batch": 256,
}  # fmt: skip
_R2 = ("r2_raw", "r2_wrapped", "r2_sincos")


def jobs(preset: Preset) -> list[dict[str, Any]]:
    """One run per source of motion, stride and seed; quick has three strides and one seed."""
    is_quick = preset == "quick"
    strides, seeds = ((1, 8, 64), 1) if is_quick else (STRIDES, 3)
    sizes = _QUICK if is_quick else _FULL
    return [
        {"source": source, "stride": stride, "seed": seed, **sizes, "sigreg_weight": SIGREG_WEIGHT}
        for source in SOURCES
        for stride in strides
        for seed in range(seeds)
    ]


def measure(settings: Settings, scratch: Path) -> dict[str, Any]:
    """Train on pairs of one stride; probe on other episodes of the same source."""
    train, test = (_frames(settings, scratch, part) for part in ("train", "test"))
    pairs = train.pairs(settings["stride"])
    encoder = train_on_pairs(train.frames, partial(draw_from, pairs), PairTraining.of(settings))
    embeddings = (embed(encoder, train.frames), embed(encoder, test.frames))
    wrapped = wrap_angle(test.qpos_rad)
    return {
        **angle_r2(embeddings, (train.qpos_rad, test.qpos_rad)),
        "orthogonality_error": scaled_orthogonality_error(wrapped, embeddings[1]),
        "pair_correlation": train.correlation(settings["stride"]),
        "angle_excess_kurtosis": kurtosis(wrapped).tolist(),
    }


def _frames(settings: Settings, scratch: Path, part: str) -> MovingFrames:
    """Frames of one part; runs of one source and seed share them, whatever their stride."""
    source, size, seed = settings["source"], settings["image_size"], settings["seed"]
    episodes = settings["episodes" if part == "train" else "test_episodes"]
    own_seed, *_ = seeds_of(seed, ("train", "test").index(part))
    keep = scratch.parent / f"{source}-{part}-{episodes}-{size}-{seed}.npz"
    return moving_frames(SOURCES[source], episodes, size, own_seed, keep)


def conclude(rows: Sequence[Row]) -> dict[str, Any]:
    """R² by source and stride with intervals, and the best stride against the published best."""
    table = {source: _by_stride(rows, source) for source in SOURCES}
    bars = {}
    for source, by_stride in table.items():
        best = max(entry["r2_wrapped"]["mean"] for entry in by_stride.values())
        reached = best >= PUBLISHED_BEST_R2
        bars[f"best R² of wrapped angles, {source}"] = bar(best, "published .80", reached)
    return {"r2": table, "published_best_r2": PUBLISHED_BEST_R2, "bars": bars}


def _by_stride(rows: Sequence[Row], source: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for stride in STRIDES:
        chosen = [row for row in rows if row["source"] == source and row["stride"] == stride]
        if chosen:
            found[str(stride)] = {
                name: mean_interval([row[name] for row in chosen])
                for name in (*_R2, "pair_correlation")
            }
    return found


STUDY = Study(
    name="reacher-trajectories",
    summary="Joint angles from pictures of the moving arm: linear R² by source and stride.",
    jobs=jobs,
    measure=measure,
    conclude=conclude,
)
