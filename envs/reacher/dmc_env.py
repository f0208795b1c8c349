"""dm_control's Reacher as a gymnasium environment, at this project's control tick.

One env step is one control tick: ``action_repeat`` physics steps of 0.02 s with the same torque.
Published figures for these tasks differ in this; many count physics steps. Reward: the sum over
the physics steps of a tick, so that an episode of 1000 physics steps pays at most 1000 whatever
the action repeat. The time limit is ``truncated`` (the task goes on for ever), never
``terminated``.
"""

from __future__ import annotations

import difflib
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.error import ResetNeeded
from numpy.typing import NDArray

from envs.reacher.angles import checked_pose, finite_pair, sample_pose
from envs.reacher.simulator import ACTION_REPEAT, TORQUE_DIM, ReacherSimulator
from envs.reacher.targets import (
    EPISODE_PHYSICS_STEPS,
    REACH_M,
    fingertip_m,
    sample_target_m,
    target_reward,
)

FloatArray = NDArray[np.float32]

RESET_OPTIONS = ("qpos", "target_m")


class ReacherDmcEnv(gymnasium.Env[FloatArray, FloatArray]):
    """dm_control's ``reacher`` ``easy`` or ``hard``, without pictures.

    Observation float32 (6,), dm_control's own: ``position`` (2,) raw joint angles [rad],
    ``to_target`` (2,) from the fingertip to the target [m], ``velocity`` (2,) [rad/s]. Actions
    are torques (2,) in [-1, 1]. ``reset(options=...)`` takes ``qpos`` (2,) [rad] and
    ``target_m`` (2,) from the shoulder; what is absent is drawn as dm_control draws it.
    """

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012 (gymnasium declares it so)

    def __init__(
        self, task: str = "easy", action_repeat: int = ACTION_REPEAT, render_mode: None = None
    ) -> None:
        if task not in REACH_M:
            raise ValueError(f"expected task of {sorted(REACH_M)}, got {task!r}")
        if action_repeat < 1 or EPISODE_PHYSICS_STEPS % action_repeat:
            raise ValueError(
                f"expected action_repeat to divide {EPISODE_PHYSICS_STEPS}, got {action_repeat}"
            )
        self.render_mode = render_mode
        self.reach_m = REACH_M[task]
        self.budget_steps = EPISODE_PHYSICS_STEPS // action_repeat
        self.observation_space = spaces.Box(-np.inf, np.inf, (6,), np.float32)
        self.action_space = spaces.Box(-1.0, 1.0, (TORQUE_DIM,), np.float32)
        self._simulator = ReacherSimulator(action_repeat)
        self._target_m = np.zeros(2)
        self._steps_left = 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[FloatArray, dict[str, Any]]:
        """Start an episode at rest; see the class for ``options``."""
        super().reset(seed=seed)
        given = _checked_options(options)
        # Always both draws, so that giving one does not change the other.
        start, target = sample_pose(self.np_random), sample_target_m(self.np_random)
        self._target_m = finite_pair(given.get("target_m", target), "target_m")
        self._simulator.reset(checked_pose(given.get("qpos", start), "qpos"))
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


def _checked_options(options: dict[str, Any] | None) -> dict[str, Any]:
    given = options or {}
    for name in given:
        if name not in RESET_OPTIONS:
            near = difflib.get_close_matches(str(name), RESET_OPTIONS, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ValueError(f"expected reset options of {RESET_OPTIONS}, got {name!r}{hint}")
    return given
