"""Where the fingertip can be, and the poses that bring it there."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from envs.base import Array
from envs.errors import PoseError
from envs.reacher.angles import WRIST_LIMIT_RAD, finite_pair

LINK_M = 0.12  # both links, shoulder to wrist and wrist to fingertip
MAX_REACH_M = 2.0 * LINK_M
MIN_REACH_M = 2.0 * LINK_M * float(np.cos(WRIST_LIMIT_RAD / 2.0))  # the wrist cannot fold fully


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
