"""Angles of the two joints: comparison modulo 2π, poses drawn at random, checks."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from envs.base import MAX_STATE, Array
from envs.errors import PoseError

WRIST_LIMIT_RAD = float(np.deg2rad(160))
# The limit is a stiff spring: full torque against it was seen to push the wrist 0.16 rad beyond,
# and recorded states must be accepted.
WRIST_OVERSHOOT_RAD = 0.35


def wrap_angle(angle_rad: ArrayLike) -> Array:
    """The same angles in [-π, π); any shape, radians."""
    angle = np.asarray(angle_rad, dtype=np.float64)
    wrapped = np.mod(angle + np.pi, 2.0 * np.pi) - np.pi
    # The remainder of a tiny negative number rounds up to the whole period.
    return np.where(wrapped >= np.pi, -np.pi, wrapped)


def angle_error_rad(a_rad: ArrayLike, b_rad: ArrayLike) -> Array:
    """Absolute joint differences modulo 2π, (..., 2) in [0, π]."""
    difference = np.asarray(a_rad, dtype=np.float64) - np.asarray(b_rad, dtype=np.float64)
    return np.abs(wrap_angle(difference))


def sample_pose(rng: np.random.Generator) -> Array:
    """A pose (2,): shoulder uniform in [-π, π), wrist uniform within its limit, radians."""
    low = np.array([-np.pi, -WRIST_LIMIT_RAD])
    return rng.uniform(low, -low)


def finite_pair(values: ArrayLike, name: str) -> Array:
    """Two finite numbers as float64 (2,), one per joint; ``PoseError`` naming them otherwise."""
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise PoseError(f"expected {name} to be two finite numbers, got {values!r}") from error
    if array.shape != (2,) or not np.isfinite(array).all():
        raise PoseError(f"expected {name} to be two finite numbers, got {values!r}")
    return array


def checked_pose(qpos_rad: ArrayLike, name: str = "qpos_rad") -> Array:
    """A pose (2,) the arm can take, as float64; ``PoseError`` if it is out of reach.

    Thrown, the wrist swings a little beyond its stop.
    """
    pose = finite_pair(qpos_rad, name)
    if abs(pose[0]) > MAX_STATE:
        raise PoseError(f"expected {name} with a shoulder within ±{MAX_STATE:g} rad, got {pose[0]}")
    if abs(pose[1]) > WRIST_LIMIT_RAD + WRIST_OVERSHOOT_RAD:
        raise PoseError(
            f"expected {name} with a wrist within ±{WRIST_LIMIT_RAD:.3f} rad (±160°), where it "
            f"stops, got {pose[1]:.3f}; angles are radians, shoulder first"
        )
    return pose
