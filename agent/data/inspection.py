"""Looking at a data set: what is in it, where the arm has been, how fast it moved."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agent.data.store import RolloutStore
from agent.interfaces import Array
from envs import WRIST_LIMIT_RAD, wrap_angle

Facts = dict[str, str | int | float]
CELL_RAD = float(np.deg2rad(10))


def inspect_dataset(directory: Path | str) -> Facts:
    """Facts about a data set, in the order to show them; pictures are not read.

    Units are in the names. ``*_coverage`` is the share of 10° bins of a joint's range (of 10°×10°
    cells, for the pose) that some frame is in.
    """
    store = RolloutStore.open(directory)
    header = store.header
    experience_s = store.episode_count * header.episode_steps * header.env_step_s
    facts: Facts = {
        "directory": str(store.directory),
        "schema": header.schema,
        "episodes": store.episode_count,
        "episodes_wanted": header.episodes,
        "frames": store.row_count,
        "shards": len(store.records),
        "disk_mb": round(sum(r.size_bytes for r in store.records) / 1e6, 1),
        "memory_mb": round(store.pixel_bytes / 1e6, 1),
        "image_size_px": header.image_size,
        "render_profile": header.render_profile,
        "behaviour": header.behaviour,
        "seed": header.seed,
        "env_step_s": header.env_step_s,
        "experience_min": round(experience_s / 60, 1),
    }
    states = store.load_states()
    if states:
        facts |= coverage_facts(np.concatenate([s.qpos for s in states]))
        facts |= speed_facts(np.concatenate([s.qvel for s in states]))
        torque = np.concatenate([s.action for s in states])
        facts["mean_abs_torque"] = round(float(np.nanmean(np.abs(torque))), 3)
    return facts


def verify_dataset(directory: Path | str) -> Facts:
    """Read and check every byte; what was checked. DamagedDataError names each bad shard."""
    store = RolloutStore.open(directory)
    store.verify()
    return {
        "directory": str(store.directory),
        "shards": len(store.records),
        "episodes": store.episode_count,
        "frames": store.row_count,
        "disk_mb": round(sum(r.size_bytes for r in store.records) / 1e6, 1),
    }


def coverage_facts(qpos_rad: Array) -> Facts:
    """How much of the joints' range the angles (N, 2) visit."""
    shoulder = _bins(wrap_angle(qpos_rad[:, 0]), np.pi)
    wrist = _bins(qpos_rad[:, 1], WRIST_LIMIT_RAD)
    seen = np.zeros((_bin_count(np.pi), _bin_count(WRIST_LIMIT_RAD)), bool)
    seen[shoulder, wrist] = True
    return {
        "shoulder_coverage": round(float(seen.any(axis=1).mean()), 3),
        "wrist_coverage": round(float(seen.any(axis=0).mean()), 3),
        "pose_coverage": round(float(seen.mean()), 3),
    }


def speed_facts(qvel_rad_s: Array) -> Facts:
    """Mean and 95th percentile of the speeds of both joints, (N, 2)."""
    speed = np.abs(qvel_rad_s)
    facts: Facts = {"mean_speed_rad_s": round(float(speed.mean()), 2)}
    for joint, name in enumerate(("shoulder", "wrist")):
        facts[f"{name}_mean_speed_rad_s"] = round(float(speed[:, joint].mean()), 2)
        facts[f"{name}_p95_speed_rad_s"] = round(float(np.percentile(speed[:, joint], 95)), 2)
    return facts


def _bin_count(limit_rad: float) -> int:
    return round(2 * limit_rad / CELL_RAD)


def _bins(angle_rad: Array, limit_rad: float) -> NDArray[np.int64]:
    # The wrist's stop is soft: a fast arm goes a little past it, which counts as the last bin.
    bins = np.floor((angle_rad + limit_rad) / CELL_RAD).astype(np.int64)
    last: int = _bin_count(limit_rad) - 1
    clipped: NDArray[np.int64] = np.clip(bins, 0, last)
    return clipped
