"""The environments reinforcement learning trains in: the registered ones, slightly wrapped."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np

from agent.errors import UserError
from agent.rivals.algorithms import Algorithm
from envs.reacher import DMC_IDS, STATE_GOAL_ID, fingertip_m

MOVING_SHARE = 0.5  # of the episodes start in motion
START_SPEED_RAD_S = 2.0  # standard deviation; the recordings of `lewm` have about this


class MovingStarts(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Gives every second episode, at random, an initial velocity."""

    def __init__(self, env: gymnasium.Env[Any, Any]) -> None:
        super().__init__(env)
        self._rng = np.random.default_rng()

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """As the environment's own; what ``options`` give is kept."""
        if seed is not None:
            self._rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(1,)))
        velocity = self._rng.normal(0.0, START_SPEED_RAD_S, 2)
        moving = self._rng.random() < MOVING_SHARE
        drawn = {"qvel": velocity} if moving else {}
        return self.env.reset(seed=seed, options={**drawn, **(options or {})})


class ShapedReward(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Adds to the sparse reward minus the mean joint error over π: between −2 and 0."""

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """As the environment's own, the reward shaped."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        shaped = float(reward) - float(np.mean(info["error_rad"])) / np.pi
        return observation, shaped, terminated, truncated, info


def make_environment(algorithm: Algorithm, task: str | None) -> gymnasium.Env[Any, Any]:
    """One environment as ``algorithm`` trains in it; see :func:`environment_id`."""
    made: gymnasium.Env[Any, Any] = gymnasium.make(
        environment_id(algorithm, task), disable_env_checker=True
    )
    if algorithm.on_dmc_reward:
        return made
    moving = MovingStarts(made)
    return ShapedReward(moving) if algorithm.library_class == "PPO" else moving


def environment_id(algorithm: Algorithm, task: str | None) -> str:
    """The gymnasium id it learns in.

    Raises:
        UserError: if the task is missing or unknown.
    """
    if not algorithm.on_dmc_reward:
        return STATE_GOAL_ID
    if task not in DMC_IDS:
        raise UserError(f"expected --task of {', '.join(DMC_IDS)} for {algorithm.name}, got {task}")
    return DMC_IDS[task]


def task_features(states: np.ndarray, goals: np.ndarray) -> np.ndarray:
    """dm_control's observation (E, 6) of states and goals (E, 4): angles, to target, velocities.

    The target is where the fingertip is in the goal pose.
    """
    pose, velocity = states[:, :2], states[:, 2:]
    to_target = fingertip_m(goals[:, :2]) - fingertip_m(pose)
    return np.concatenate([pose, to_target, velocity], 1).astype(np.float32)
