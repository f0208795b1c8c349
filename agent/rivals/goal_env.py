"""Any world as a goal environment on its true state, without drawing a frame.

Goals can be relabelled (hindsight experience replay, Andrychowicz et al. 2017, arXiv:1707.01495):
the reward follows from the encoded goals alone, 0 inside the world's tolerances and −1 outside.
"""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.error import ResetNeeded

from agent.interfaces import Array, FloatArray
from agent.rivals.state_code import StateCode
from envs import BEHAVIOURS, Posable, World, require_finite, roll_out

BUDGET_STEPS = 100
GOAL_STEPS = (1, 50)  # a goal that cannot be set lies this many random steps from a start
Observation = dict[str, Any]  # of float32 arrays, as the observation space says


class WorldGoalEnv(gymnasium.Env[Observation, FloatArray]):
    """Observes ``observation``, ``achieved_goal`` and ``desired_goal``, float32.

    Start and goal are drawn at rest anywhere, where the world can be posed; otherwise it starts as
    the world does, and the goal is where random actions led from another start.
    """

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012 (gymnasium declares it so)

    budget_steps = BUDGET_STEPS

    def __init__(self, world: World, shaped: bool = False) -> None:
        self.world, self._shaped = world, shaped
        self.code = StateCode(world.spec)
        blank = np.zeros(len(world.spec.state))
        goal = spaces.Box(-np.inf, np.inf, self.code.goal(blank).shape, np.float32)
        seen = spaces.Box(-np.inf, np.inf, self.code.observation(blank).shape, np.float32)
        self.observation_space = spaces.Dict(
            {"observation": seen, "achieved_goal": goal, "desired_goal": goal}
        )
        self.action_space = spaces.Box(-1.0, 1.0, (world.spec.action_dim,), np.float32)
        self._steps_left = 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Start an episode with a goal of its own."""
        super().reset(seed=seed)
        self._goal_state = self._start()
        self._desired = self.code.goal(self._goal_state)
        self._steps_left = self.budget_steps
        seen = self._observe()
        return seen, self._info(self._distance(seen))

    def step(self, action: FloatArray) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """One control tick; gymnasium's five values."""
        if self._steps_left == 0:
            raise ResetNeeded("expected reset() before step(): no episode is under way")
        ended = self.world.step(np.clip(np.asarray(action, np.float64), -1.0, 1.0))
        self._steps_left = 0 if ended else self._steps_left - 1
        seen = self._observe()
        distance = self._distance(seen)
        is_over = not ended and self._steps_left == 0
        return seen, float(self._reward(distance)), ended, is_over, self._info(distance)

    def compute_reward(self, achieved_goal: Any, desired_goal: Any, info: Any) -> Array:
        """Rewards (...) of encoded goals (..., G); ``info`` is of the interface and not used.

        Shaped, the share d / (10 + d) of a distance of d tolerances is subtracted.
        """
        return self._reward(self.code.distance(achieved_goal, desired_goal))

    def _distance(self, seen: Observation) -> Array:
        return self.code.distance(seen["achieved_goal"], self._desired)

    def _reward(self, distance: Array) -> Array:
        reward: Array = np.asarray(distance < 1.0, np.float64) - 1.0
        if self._shaped:
            reward = reward - distance / (10.0 + distance)
        return reward

    def close(self) -> None:
        """Close the world."""
        self.world.close()

    def _start(self) -> Array:
        """Bring the world to a start; the state to reach."""
        rng = self.np_random
        if isinstance(self.world, Posable):
            start, goal = self.world.sample_state(rng), self.world.sample_state(rng)
            self.world.reset(rng, start)
            return goal
        ticks = int(rng.integers(*GOAL_STEPS, endpoint=True))
        led_to: Array = roll_out(self.world, BEHAVIOURS["ou"], rng, ticks).states[-1]
        self.world.reset(rng)
        return led_to

    def _observe(self) -> Observation:
        state = self.world.state()
        require_finite(self.world.spec, state[None], self.budget_steps - self._steps_left)
        return {
            "observation": self.code.observation(state),
            "achieved_goal": self.code.goal(state),
            "desired_goal": self._desired.copy(),
        }

    def _info(self, distance: Array) -> dict[str, Any]:
        return {
            "state": self.world.state(),
            "goal_state": self._goal_state.copy(),
            "is_success": bool(distance < 1.0),
        }
