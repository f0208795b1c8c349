"""The environments reinforcement learning trains in: goal poses, and dm_control's own reward."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np

from agent.interfaces import Array, FloatArray
from agent.rivals.algorithms import Algorithm
from agent.rivals.goal_env import Observation, WorldGoalEnv
from agent.rivals.reacher.dmc_env import ReacherDmcEnv
from envs.reacher import TORQUE_DIM, ReacherWorld, angle_error_rad, fingertip_m

MOVING_SHARE = 0.5  # of the episodes start in motion
START_SPEED_RAD_S = 2.0  # standard deviation; the recordings of `lewm` have about this


class ReacherGoals(WorldGoalEnv):
    """Goal poses of the arm; every second episode, at random, starts in motion.

    ``shaped`` adds to the sparse reward minus the mean joint error over π: between −2 and 0.
    """

    def __init__(self, shaped: bool = False) -> None:
        super().__init__(ReacherWorld())
        self._adds_error = shaped
        self._motion = np.random.default_rng()

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """As any goal environment; motion has a random stream of its own."""
        if seed is not None:
            self._motion = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(1,)))
        return super().reset(seed=seed, options=options)

    def step(self, action: FloatArray) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """As any goal environment, the reward shaped where that was asked for."""
        seen, reward, ended, truncated, info = super().step(action)
        if self._adds_error:
            pose, goal = info["state"][:TORQUE_DIM], info["goal_state"][:TORQUE_DIM]
            reward -= float(np.mean(angle_error_rad(pose, goal))) / np.pi
        return seen, reward, ended, truncated, info

    def _start(self) -> Array:
        goal = super()._start()
        speeds = self._motion.normal(0.0, START_SPEED_RAD_S, TORQUE_DIM)
        if self._motion.random() < MOVING_SHARE:
            pose = self.world.state()[:TORQUE_DIM]
            self.world.reset(self.np_random, np.concatenate([pose, speeds]))
        return goal


def make_environment(algorithm: Algorithm, task: str | None) -> gymnasium.Env[Any, Any]:
    """One environment as ``algorithm`` trains in it; ``task`` where dm_control pays."""
    if task is not None:
        return ReacherDmcEnv(task)
    return ReacherGoals(shaped=algorithm.library_class == "PPO")


def task_features(states: np.ndarray, goals: np.ndarray) -> np.ndarray:
    """dm_control's observation (E, 6) of states and goals (E, 4): angles, to target, velocities.

    The target is where the fingertip is in the goal pose.
    """
    pose, velocity = states[:, :2], states[:, 2:]
    to_target = fingertip_m(goals[:, :2]) - fingertip_m(pose)
    return np.concatenate([pose, to_target, velocity], 1).astype(np.float32)
