"""How far a plan ends from the goal, in the model's own embedding, and how rough it is.

    cost(u) = mean_h ‖(z_h(u) − z_goal)·M‖²
              + effort · mean_t |u_t|² + change · mean_t |u_t − u_{t−1}|²

with z_h the embedding predicted after h model steps and M the goal metric (see
:mod:`agent.model.metric`). All of the horizon counts, so the arm is asked to come early *and* to
stay. The embedding is only seen once a model step; without the other two terms a second-order
planner finds torques that fight each other in between, and chatters around the goal.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from agent.model.linearise import linearise_rollout
from agent.model.world_model import WorldModel


@dataclass(frozen=True)
class GoalCostConfig:
    """Weights against a squared embedding distance of order D between far-apart poses.

    ``effort`` of a squared torque, ``change`` of a squared difference between torques one
    control tick apart.
    """

    effort: float = 0.003
    change: float = 0.03


class EmbeddingGoalCost:
    """Least-squares cost of torque plans for E episodes.

    Args:
        model: in evaluation mode.
        embeddings: (E, L, D), the last one is now.
        past: (E, L-1, K*A), torque blocks between them.
        goals: (E, D), embeddings of the goal images.
        config: weights of the torque terms.
        drift: (E, D), what predictions have lately been missing; none by default.
    """

    def __init__(
        self,
        model: WorldModel,
        embeddings: Tensor,
        past: Tensor,
        goals: Tensor,
        config: GoalCostConfig,
        drift: Tensor | None = None,
    ) -> None:
        self.model, self.embeddings, self.past = model, embeddings, past
        self.goals, self.config, self.drift = goals, config, drift
        torque_dim = model.config.torque_dim
        self._last_torque = past.new_zeros(len(goals), 1, torque_dim)
        if past.shape[1]:  # a context of one embedding has no past
            self._last_torque = past[:, -1:, -torque_dim:]

    def __call__(self, actions: Tensor) -> Tensor:
        """(E, N, H, K*A) -> (E, N)."""
        with torch.no_grad():
            predicted = self.model.rollout(self.embeddings, self.past, actions, self.drift)
            distance = self._offsets(predicted).square().sum(-1).mean(-1)  # (E, N)
            return distance + self._torque_residuals(actions).square().sum(-1)

    def linearise(self, actions: Tensor) -> tuple[Tensor, Tensor]:
        """(E, H, K*A) -> residuals (E, R) and their Jacobian (E, R, H*K*A)."""
        predicted, slope = linearise_rollout(
            self.model, self.embeddings, self.past, actions, self.drift
        )
        scale = 1 / math.sqrt(actions.shape[1])
        offsets = self._offsets(predicted).flatten(1) * scale  # (E, H*D)
        slopes = (self.model.goal_metric.T @ slope).flatten(1, 2) * scale  # (E, H*D, P)
        torques = self._torque_residuals(actions[:, None])[:, 0]
        torque_slopes = self._torque_slopes(actions).expand(len(actions), -1, -1)
        return torch.cat([offsets, torques], 1), torch.cat([slopes, torque_slopes], 1)

    def _offsets(self, predicted: Tensor) -> Tensor:
        """(E, ..., D) -> (E, ..., D), from the goals, in the goal metric."""
        goals = self.goals.reshape(len(self.goals), *[1] * (predicted.ndim - 2), -1)
        return (predicted - goals) @ self.model.goal_metric

    def _torque_residuals(self, actions: Tensor) -> Tensor:
        """(E, N, H, K*A) -> (E, N, 2*H*K*A): torques, then their changes, weighted."""
        ticks = actions.reshape(*actions.shape[:2], -1, self.model.config.torque_dim)
        before = self._last_torque[:, None].expand(-1, ticks.shape[1], -1, -1)
        changes = ticks - torch.cat([before, ticks[:, :, :-1]], 2)
        effort, change = self._torque_scales(ticks.shape[2])
        return torch.cat([effort * ticks.flatten(2), change * changes.flatten(2)], 2)

    def _torque_slopes(self, actions: Tensor) -> Tensor:
        """Jacobian (1, 2*P, P) of :meth:`_torque_residuals`, the same for every plan."""
        variables, torque_dim = actions[0].numel(), self.model.config.torque_dim
        effort, change = self._torque_scales(variables // torque_dim)
        unit = torch.eye(variables, dtype=actions.dtype)
        shifted = torch.diag(torch.ones(variables - torque_dim), -torque_dim).to(actions.dtype)
        return torch.cat([effort * unit, change * (unit - shifted)])[None]

    def _torque_scales(self, ticks: int) -> tuple[float, float]:
        return math.sqrt(self.config.effort / ticks), math.sqrt(self.config.change / ticks)
