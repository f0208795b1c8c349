"""The arm as solids, with its fingertip to take hold of."""

from __future__ import annotations

from typing import Any

import numpy as np

from envs.base import Array
from envs.mujoco_scene import MujocoScene
from envs.reacher.angles import wrap_angle
from envs.reacher.targets import nearer_goal_pose
from envs.scene import View, checked_point

FROM_ABOVE = View(eye=(0.0, 0.0, 0.45), target=(0.0, 0.0, 0.0), up=(0.0, 1.0, 0.0))


class ReacherScene(MujocoScene):
    """See :class:`envs.scene.Scene`; ``model`` is mujoco's MjModel of the arm."""

    def __init__(self, model: Any) -> None:
        super().__init__(model, FROM_ABOVE)
        self.grips = ("fingertip",)

    def points(self, state: Array) -> Array:
        """The fingertip, (1, 3)."""
        self._pose(state)
        return np.array(self._data.geom("finger").xpos)[None]

    def drag(self, grip: int, to: Array, state: Array) -> Array:
        """The arm at rest with its fingertip at ``to``, of both poses the nearer to ``state``.

        Raises:
            PoseError: for a point outside the ring the fingertip can reach.
        """
        pose = nearer_goal_pose(state[:2], checked_point(to)[:2])
        turn = wrap_angle(pose[:1] - state[:1])
        return np.concatenate([state[:1] + turn, pose[1:], np.zeros(2)])
