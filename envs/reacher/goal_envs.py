"""The two Reacher environments, told apart by what they observe: pictures or the state."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import ArrayLike, NDArray

from envs.reacher.goal_env import MAX_VELOCITY_RAD_S, Observation, ReacherGoalEnv

FloatArray = NDArray[np.float32]

VELOCITY_SCALE_RAD_S = 10.0  # brings the speeds of full torque to the order of one
MAX_SCALED_VELOCITY = MAX_VELOCITY_RAD_S / VELOCITY_SCALE_RAD_S


class ReacherPixelGoalEnv(ReacherGoalEnv):
    """Observes ``pixels`` and ``goal_pixels``, both uint8 (image_size, image_size, 3).

    ``info`` carries the true ``state`` and ``goal_state`` (4,) for baselines and metrics only.
    """

    def _make_observation_space(self) -> spaces.Dict:
        shape = (self.image_size, self.image_size, 3)
        return spaces.Dict(
            {name: spaces.Box(0, 255, shape, np.uint8) for name in ("pixels", "goal_pixels")}
        )

    def _keep_goal(self) -> None:
        self._goal_pixels = self._open_renderer().render_pose(self._goal_qpos_rad)

    def _observe(self) -> Observation:
        return {
            "pixels": self._open_renderer().render(),
            "goal_pixels": self._goal_pixels.copy(),
        }


class ReacherStateGoalEnv(ReacherGoalEnv):
    """Observes the state, with goals that can be relabelled (hindsight experience replay).

    ``observation`` (6,): cos and sin of both joints, then velocities / 10 rad/s;
    ``achieved_goal`` and ``desired_goal`` (4,): cos, sin, cos, sin of the joints. All float32.
    """

    def _make_observation_space(self) -> spaces.Dict:
        high = np.array([1.0] * 4 + [MAX_SCALED_VELOCITY] * 2, dtype=np.float32)
        goal = spaces.Box(-1.0, 1.0, (4,), np.float32)
        return spaces.Dict(
            {
                "observation": spaces.Box(-high, high, dtype=np.float32),
                "achieved_goal": goal,
                "desired_goal": goal,
            }
        )

    def compute_reward(
        self, achieved_goal: ArrayLike, desired_goal: ArrayLike, info: Any
    ) -> NDArray[np.float64]:
        """0 inside the tolerance on both joints, −1 outside; goals (..., 4) to (...).

        ``info`` is part of the interface and not used.
        """
        error = pose_difference_rad(achieved_goal, desired_goal)
        inside = (error < self.tolerance_rad).all(axis=-1)
        return np.asarray(inside, dtype=np.float64) - 1.0

    def _keep_goal(self) -> None:
        self._desired_goal = cos_sin(self._goal_qpos_rad)

    def _observe(self) -> Observation:
        achieved = cos_sin(self._simulator.qpos_rad)
        velocity = self._simulator.qvel_rad_s / VELOCITY_SCALE_RAD_S
        velocity = np.clip(velocity, -MAX_SCALED_VELOCITY, MAX_SCALED_VELOCITY)
        return {
            "observation": np.concatenate([achieved, velocity.astype(np.float32)]),
            "achieved_goal": achieved,
            "desired_goal": self._desired_goal.copy(),
        }

    def _is_success(self, observation: Observation) -> bool:
        # From the rounded goals a learner sees, so that relabelling gives the very same reward.
        achieved, desired = observation["achieved_goal"], observation["desired_goal"]
        return bool(self.compute_reward(achieved, desired, {}) == 0.0)


def cos_sin(qpos_rad: ArrayLike) -> FloatArray:
    """Joint angles (..., 2) as cos, sin, cos, sin (..., 4), float32."""
    angle = np.asarray(qpos_rad, dtype=np.float64)
    pairs = np.stack([np.cos(angle), np.sin(angle)], axis=-1)  # (..., 2, 2)
    return pairs.reshape(*angle.shape[:-1], 4).astype(np.float32)


def pose_difference_rad(a: ArrayLike, b: ArrayLike) -> NDArray[np.float64]:
    """Absolute joint differences (..., 2) in [0, π] of poses given as cos, sin, cos, sin (..., 4).

    By the subtraction theorem: sin(a−b) = sin a cos b − cos a sin b, cos(a−b) likewise.
    """
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    cos_a, sin_a = a[..., 0::2], a[..., 1::2]
    cos_b, sin_b = b[..., 0::2], b[..., 1::2]
    sine, cosine = sin_a * cos_b - cos_a * sin_b, cos_a * cos_b + sin_a * sin_b
    difference: NDArray[np.float64] = np.abs(np.arctan2(sine, cosine))
    return difference
