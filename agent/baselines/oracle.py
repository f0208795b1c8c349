"""Gauss-Newton with the true simulator as its model: what a search can reach without model error.

Privileged: it reads joint angles and rolls the physics itself (:mod:`.simulator_cost`). It
searches longer than the world model's controller (three iterations from eight sampled starts, not
one from four) and its cost has no term for torque, so it is a ceiling for that search, not the
same search on another model.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agent.baselines.simulator_cost import SimulatorGoalCost
from agent.control.plan_keeper import PlanKeeper
from agent.interfaces import Array, GoalObservation
from envs import TORQUE_DIM, ReacherSimulator
from planners import GaussNewtonConfig, GaussNewtonPlanner, Planner


class OracleController:
    """Model-predictive control through the true physics; sees the true state."""

    name = "oracle"
    needs_pixels = False

    def __init__(
        self, planner: Planner | None = None, horizon: int = 8, action_block: int = 2
    ) -> None:
        self.planner = planner or GaussNewtonPlanner(
            GaussNewtonConfig(iterations=3, random_starts=8)
        )
        self.horizon, self.action_block = horizon, action_block
        self._simulator = ReacherSimulator()

    def reset(self, observations: Sequence[GoalObservation], seeds: Sequence[int]) -> None:
        """Start E episodes; episode i owns the random stream ``seeds[i]``."""
        self._plans = PlanKeeper(self.horizon, self.action_block, TORQUE_DIM, seeds)

    def act(self, observations: Sequence[GoalObservation]) -> Array:
        """Torques (E, A) for the coming tick."""
        states = np.stack([o.state for o in observations])
        goals = np.stack([o.goal_state[:TORQUE_DIM] for o in observations])
        cost = SimulatorGoalCost(self._simulator, states, goals)
        torques: Array = self._plans.improve(self.planner, cost).double().numpy()
        return torques
