"""dm_control's Reacher as a gymnasium environment, at this project's control tick.

One env step is one control tick: two physics steps of 0.02 s with the same torque. Published
figures for these tasks differ in this; many count physics steps. Reward: the sum over the physics
steps of a tick, so that an episode of 1000 of them pays at most 1000. The time limit is
``truncated`` (the task goes on for ever), never ``terminated``.
"""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.error import ResetNeeded

from agent.interfaces import FloatArray
from envs.reacher import (
    ACTION_REPEAT,
    EPISODE_PHYSICS_STEPS,
    REACH_M,
    TORQUE_DIM,
    ReacherSimulator,
    fingertip_m,
    sample_pose,
    sample_target_m,
    target_reward,
)


class ReacherDmcEnv(gymnasium.Env[FloatArray, FloatArray]):
    """dm_control's ``reacher`` ``easy`` or ``hard``, without pictures.

    Observation float32 (6,), dm_control's own: ``position`` (2,) raw joint angles [rad],
    ``to_target`` (2,) from the fingertip to the target [m], ``velocity`` (2,) [rad/s]. Actions
    are torques (2,) in [-1, 1]. ``reset(options=...)`` takes ``qpos`` (2,) [rad] and
    ``target_m`` (2,) from the shoulder; what is absent is drawn as dm_control draws it.
    """

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012 (gymnasium declares it so)

    def __init__(self, task: str) -> None:
        self.reach_m = REACH_M[task]
        self.budget_steps = EPISODE_PHYSICS_STEPS // ACTION_REPEAT
        self.observation_space = spaces.Box(-np.inf, np.inf, (6,), np.float32)
        self.action_space = spaces.Box(-1.0, 1.0, (TORQUE_DIM,), np.float32)
        self._simulator = ReacherSimulator()
        self._target_m = np.zeros(2)
        self._steps_left = 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[FloatArray, dict[str, Any]]:
        """Start an episode at rest; see the class for ``options``."""
        super().reset(seed=seed)
        given = options or {}
        # Always both draws, so that giving one does not change the other.
        start, target = sample_pose(self.np_random), sample_target_m(self.np_random)
        self._target_m = np.asarray(given.get("target_m", target))
        self._simulator.reset(given.get("qpos", start))
        self._steps_left = self.budget_steps
        return self._observe(), self._info()

    def step(self, action: FloatArray) -> tuple[FloatArray, float, bool, bool, dict[str, Any]]:
        """One control tick; gymnasium's five values."""
        if self._steps_left == 0:
            raise ResetNeeded("expected reset() before step(), got an episode that is over")
        self._steps_left -= 1
        path = self._simulator.step(action)
        reward = float(target_reward(path, self._target_m, self.reach_m).sum())
        return self._observe(), reward, False, self._steps_left == 0, self._info()

    def _observe(self) -> FloatArray:
        simulator = self._simulator
        to_target = self._target_m - fingertip_m(simulator.qpos_rad)
        parts = [simulator.qpos_rad, to_target, simulator.qvel_rad_s]
        return np.concatenate(parts).astype(np.float32)

    def _info(self) -> dict[str, Any]:
        pose = self._simulator.qpos_rad
        return {
            "state": np.concatenate([pose, self._simulator.qvel_rad_s]),
            "target_m": self._target_m.copy(),
            "is_success": bool(target_reward(pose, self._target_m, self.reach_m)),
        }
