"""Gauss-Newton with the true simulator as its model: what a search can reach without model error.

Privileged: it reads joint angles and rolls the physics itself (:mod:`.simulator_cost`). It
searches longer than the world model's controller (three iterations from eight sampled starts, not
one from four) and its cost has no term for torque, so it is a ceiling for that search, not the
same search on another model.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agent.control.plan_keeper import PlanKeeper
from agent.interfaces import Decision, Goals, Needs, Seen
from agent.rivals.reacher.simulator_cost import SimulatorGoalCost
from envs.reacher import TORQUE_DIM, ReacherSimulator
from planners import GaussNewtonPlanner, Planner


class OracleController:
    """Model-predictive control through the true physics; sees the true state.

    Plans have ``horizon`` H steps of ``action_block`` K control ticks.
    """

    name = "oracle"

    def __init__(
        self, planner: Planner | None = None, horizon: int = 8, action_block: int = 2
    ) -> None:
        self.planner = planner or GaussNewtonPlanner(iterations=3, random_starts=8)
        self.needs = Needs(pixels=False, state=True)
        self._shape = (horizon, action_block, TORQUE_DIM)
        self._simulator = ReacherSimulator()

    def reset(self, goals: Goals, seeds: Sequence[int]) -> None:
        """Start E episodes; episode i owns the random stream ``seeds[i]``."""
        assert goals.state is not None, "it needs states"
        self._goals = goals.state[:, :TORQUE_DIM]
        self._plans = PlanKeeper(self._shape, seeds)

    def act(self, seen: Seen) -> Decision:
        """Torques (E, 2) for the coming tick."""
        assert seen.state is not None, "it needs states"
        cost = SimulatorGoalCost(self._simulator, seen.state, self._goals)
        return Decision(self._plans.improve(self.planner, cost).astype(np.float64))
