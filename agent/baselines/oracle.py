"""Gauss-Newton with the true simulator as its model: what a search can reach without model error.

Privileged: it reads joint angles and steps a copy of the physics. Its cost is the sum over the
horizon of squared joint-space offsets, the shoulder on the circle. It searches longer than the
world model's controller (three iterations from eight sampled starts, not one from four) and has no
term for torque, so it is a ceiling for that search, not the same search on another model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from agent.control.plan_keeper import PlanKeeper
from agent.interfaces import Array, GoalObservation
from envs import TORQUE_DIM, ReacherSimulator
from planners import GaussNewtonConfig, GaussNewtonPlanner, Planner

_PROBE_TORQUE = 1e-3  # finite-difference step, in units of the torque


@dataclass(frozen=True)
class SimulatorGoalCost:
    """Least-squares cost of torque plans from true states, by stepping the simulator.

    ``simulator`` is a scratch copy; ``states`` (E, 4) angles [rad] and velocities [rad/s];
    ``goals`` (E, 2) joint angles [rad].
    """

    simulator: ReacherSimulator
    states: Array
    goals: Array

    def __call__(self, actions: Tensor) -> Tensor:
        """(E, N, H, K*A) -> (E, N)."""
        return self._residuals(actions).square().sum(-1)

    def linearise(self, actions: Tensor) -> tuple[Tensor, Tensor]:
        """(E, H, K*A) -> residuals (E, R) and Jacobian (E, R, P), by central differences."""
        _, steps, width = actions.shape
        variables = steps * width
        nudge = _PROBE_TORQUE * torch.eye(variables).reshape(1, variables, steps, width)
        middle = actions.clamp(_PROBE_TORQUE - 1, 1 - _PROBE_TORQUE)[:, None]
        probes = torch.cat([actions[:, None], middle + nudge, middle - nudge], 1)
        residuals = self._residuals(probes)  # (E, 1 + 2P, R)
        up, down = residuals[:, 1 : variables + 1], residuals[:, variables + 1 :]
        return residuals[:, 0], ((up - down) / (2 * _PROBE_TORQUE)).transpose(1, 2)

    def _residuals(self, actions: Tensor) -> Tensor:
        """(E, N, H, K*A) -> (E, N, H*3), scaled so that their squares average over H."""
        episodes, count, steps, _ = actions.shape
        joints = np.empty((episodes, count, steps, TORQUE_DIM))
        for episode in range(episodes):
            for candidate in range(count):
                plan = actions[episode, candidate].double().numpy()
                joints[episode, candidate] = self._roll(self.states[episode], plan)
        goals = self.goals[:, None, None]
        shoulder, target = joints[..., 0], goals[..., 0]
        offsets = [
            np.cos(shoulder) - np.cos(target),
            np.sin(shoulder) - np.sin(target),
            joints[..., 1] - goals[..., 1],
        ]
        stacked = np.stack(offsets, -1).reshape(episodes, count, -1) / np.sqrt(steps)
        return torch.from_numpy(stacked).to(actions.dtype)

    def _roll(self, state: Array, plan: Array) -> Array:
        """Joint angles (H, 2) at the end of each planner step."""
        self.simulator.reset(state[:TORQUE_DIM], state[TORQUE_DIM:])
        reached = np.empty((len(plan), TORQUE_DIM))
        for step, block in enumerate(plan):
            for torque in block.reshape(-1, TORQUE_DIM):
                reached[step] = self.simulator.step(torque)[-1]
        return reached


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
