"""Where the fingertip can be, and dm_control's own Reacher tasks, as facts: targets, what pays.

(Tassa et al. 2018, DeepMind Control Suite, arXiv:1801.00690, ``suite/reacher.py``.) An episode is
1000 physics steps and never ends earlier. After each the reward is 1 while the *centres* of
fingertip and target are no further apart than the sum of their radii, else 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike

from envs.base import Array
from envs.errors import PoseError
from envs.reacher.angles import WRIST_LIMIT_RAD, finite_pair, wrap_angle

LINK_M = 0.12  # both links, shoulder to wrist and wrist to fingertip
MAX_REACH_M = 2.0 * LINK_M
MIN_REACH_M = 2.0 * LINK_M * float(np.cos(WRIST_LIMIT_RAD / 2.0))  # the wrist cannot fold fully
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
    return LINK_M * np.stack([x_m, y_m], axis=-1)


def goal_pose_from_inverse_kinematics(fingertip_xy_m: ArrayLike) -> Array:
    """Both poses (2, 2) whose fingertip is at a point (2,) from the shoulder, in metres.

    The first bends the wrist counter-clockwise (wrist ≥ 0), the second clockwise. Raises
    ``PoseError`` for a point outside the ring the arm can reach. With equal links of length l at
    distance d: cos(wrist) = d² / (2 l²) − 1, and the shoulder is half a wrist angle off the point.
    """
    x_m, y_m = finite_pair(fingertip_xy_m, "fingertip_xy_m")
    distance_m = float(np.hypot(x_m, y_m))
    if not MIN_REACH_M - 1e-9 <= distance_m <= MAX_REACH_M + 1e-9:
        raise PoseError(
            f"expected a fingertip {MIN_REACH_M:.3f} to {MAX_REACH_M:.3f} m from the shoulder, "
            f"got {distance_m:.3f} m"
        )
    wrist = 2.0 * np.arccos(np.clip(distance_m / MAX_REACH_M, -1.0, 1.0))
    bearing = np.arctan2(y_m, x_m)
    return np.array([[bearing - wrist / 2.0, wrist], [bearing + wrist / 2.0, -wrist]])


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
