"""dm_control's own Reacher tasks, as facts: where episodes start, where targets lie, what pays.

(Tassa et al. 2018, DeepMind Control Suite, arXiv:1801.00690, ``suite/reacher.py``.) An episode is
1000 physics steps and never ends earlier. After each the reward is 1 while the *centres* of
fingertip and target are no further apart than the sum of their radii, else 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from envs.reacher.angles import wrap_angle
from envs.reacher.kinematics import LINK_M, goal_pose_from_inverse_kinematics

Array = NDArray[np.float64]

EPISODE_PHYSICS_STEPS = 1000
FINGERTIP_RADIUS_M = 0.01
TARGET_RING_M = (0.05, 0.20)
REACH_M: Mapping[str, float] = MappingProxyType(
    {"easy": 0.05 + FINGERTIP_RADIUS_M, "hard": 0.015 + FINGERTIP_RADIUS_M}
)
"""Rewarded distance of the centres, by the name of the task."""


def sample_target_m(rng: np.random.Generator) -> Array:
    """A target (2,) from the shoulder: any direction, its distance uniform in the ring."""
    angle_rad = rng.uniform(0.0, 2.0 * np.pi)
    distance_m = rng.uniform(*TARGET_RING_M)
    return distance_m * np.array([np.sin(angle_rad), np.cos(angle_rad)])


def fingertip_m(qpos_rad: ArrayLike) -> Array:
    """Where the fingertip is, (..., 2) from the shoulder, in poses (..., 2)."""
    pose = np.asarray(qpos_rad, dtype=np.float64)
    shoulder, both = pose[..., 0], pose[..., 0] + pose[..., 1]
    x_m, y_m = np.cos(shoulder) + np.cos(both), np.sin(shoulder) + np.sin(both)
    tip: Array = LINK_M * np.stack([x_m, y_m], axis=-1)
    return tip


def target_reward(qpos_rad: ArrayLike, target_m: ArrayLike, reach_m: float) -> Array:
    """1 where the fingertip of poses (..., 2) is within ``reach_m`` of the target (2,), else 0."""
    offset = fingertip_m(qpos_rad) - np.asarray(target_m, dtype=np.float64)
    return np.asarray(np.linalg.norm(offset, axis=-1) <= reach_m, dtype=np.float64)


def nearer_goal_pose(start_qpos_rad: ArrayLike, target_m: ArrayLike) -> Array:
    """Of the two poses (2,) with the fingertip on the target, the one nearer to the start (2,).

    Nearer by the joint that has further to go: the shoulder the short way round, the wrist
    without passing its limit. Raises ``PoseError`` for a target out of reach.
    """
    poses = goal_pose_from_inverse_kinematics(target_m)
    way = poses - np.asarray(start_qpos_rad, dtype=np.float64)  # (2, 2)
    way[:, 0] = wrap_angle(way[:, 0])
    nearer: Array = poses[np.argmin(np.abs(way).max(axis=1))]
    return nearer
