"""How far a plan ends from the goal, in the model's own embedding, and how rough it is.

    cost(u) = Σ_h w_h ‖(z_h(u) − z_goal)·M‖² + speed · ‖(z_H(u) − z_{H−1}(u))·M‖²
              + effort · mean_t |u_t|² + change · mean_t |u_t − u_{t−1}|²

with z_h the embedding predicted after h model steps and M the goal metric (see
:mod:`agent.model.metric`). With equal weights w all of the horizon counts, so the arm is asked to
come early *and* to stay. The embedding is only seen once a model step; without the torque terms a
second-order planner finds torques that fight each other in between, and chatters at the goal.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from agent.model.linearise import linearise_rollout
from agent.model.world_model import WorldModel


@dataclass(frozen=True)
class GoalCostConfig:
    """Weights against a squared embedding distance of order D between far-apart poses.

    ``effort`` of a squared torque, ``change`` of a squared difference between torques one
    control tick apart, ``speed`` of the squared last predicted move. ``shape``: the distance
    counted is the mean over the horizon (``summed``), that at its end (``terminal``) or the
    smallest (``minimum``).
    """

    effort: float = 0.003
    change: float = 0.03
    speed: float = 0.0
    shape: Literal["summed", "terminal", "minimum"] = "summed"

    def __post_init__(self) -> None:
        if min(self.effort, self.change, self.speed) < 0:
            raise ValueError(
                "expected effort, change and speed >= 0, got "
                f"{self.effort}, {self.change} and {self.speed}"
            )
        if self.shape not in ("summed", "terminal", "minimum"):
            raise ValueError(f"expected shape summed, terminal or minimum, got {self.shape!r}")


@dataclass(frozen=True)
class Situation:
    """What is known at one control tick, of E episodes.

    ``embeddings`` (E, L, D), the last one now; ``past`` (E, L-1, K*A), torque blocks between
    them; ``goals`` (E, D); ``drift`` (E, D), added to every prediction; ``pending`` (E, d, A),
    torques already sent that act first, whatever is planned; ``reach`` (E,), predicted steps
    that are to be trusted (all where None).
    """

    embeddings: Tensor
    past: Tensor
    goals: Tensor
    drift: Tensor | None = None
    pending: Tensor | None = None
    reach: Tensor | None = None


class EmbeddingGoalCost:
    """Least-squares cost of torque plans for E episodes.

    Args:
        model: in evaluation mode.
        now: where the episodes are and should go.
        config: what counts how much.
    """

    def __init__(self, model: WorldModel, now: Situation, config: GoalCostConfig) -> None:
        self.model, self.now, self.config = model, now, config
        torque_dim = model.config.torque_dim
        self._last_torque = now.past.new_zeros(len(now.goals), 1, torque_dim)
        if now.past.shape[1]:  # a context of one embedding has no past
            self._last_torque = now.past[:, -1:, -torque_dim:]

    @torch.no_grad()
    def __call__(self, actions: Tensor) -> Tensor:
        """(E, N, H, K*A) -> (E, N)."""
        return self._cost(actions)

    def gradient(self, actions: Tensor) -> tuple[Tensor, Tensor]:
        """(E, N, H, K*A) -> costs (E, N) and their derivatives (E, N, H, K*A)."""
        with torch.enable_grad():
            at = actions.detach().requires_grad_()
            costs = self._cost(at)
            (slopes,) = torch.autograd.grad(costs.sum(), at)
        return costs.detach(), slopes

    @torch.no_grad()
    def linearise(self, actions: Tensor) -> tuple[Tensor, Tensor]:
        """(E, H, K*A) -> residuals (E, R) and their Jacobian (E, R, H*K*A)."""
        now, metric, horizon = self.now, self.model.goal_metric, actions.shape[1]
        actions = self._with_pending(actions[:, None])[:, 0]
        predicted, slope = linearise_rollout(
            self.model, now.embeddings, now.past, actions, now.drift
        )
        offsets, slopes = self._offsets(predicted[:, None])[:, 0], metric.T @ slope
        weights = self._weights(offsets.square().sum(-1)[:, None], horizon)[:, 0].sqrt()
        residuals = [(offsets * weights[..., None]).flatten(1)]
        jacobians = [(slopes * weights[..., None, None]).flatten(1, 2)]
        if self.config.speed and horizon > 1:
            residuals.append(self._arrival(predicted[:, None])[:, 0])
            jacobians.append(math.sqrt(self.config.speed) * (slopes[:, -1] - slopes[:, -2]))
        residuals.append(self._torque_residuals(actions[:, None])[:, 0])
        jacobians.append(self._torque_slopes(actions).expand(len(actions), -1, -1))
        jacobian = torch.cat(jacobians, 1)
        jacobian[:, :, : self._fixed] = 0.0
        return torch.cat(residuals, 1), jacobian

    @property
    def _fixed(self) -> int:
        """Leading numbers of a plan that are decided already."""
        return 0 if self.now.pending is None else self.now.pending[0].numel()

    def _cost(self, actions: Tensor) -> Tensor:
        now, actions = self.now, self._with_pending(actions)
        predicted = self.model.rollout(now.embeddings, now.past, actions, now.drift)
        distances = self._offsets(predicted).square().sum(-1)  # (E, N, H)
        weights = self._weights(distances.detach(), actions.shape[2])
        cost = (distances * weights).sum(-1) + self._torque_residuals(actions).square().sum(-1)
        if self.config.speed and actions.shape[2] > 1:
            cost = cost + self._arrival(predicted).square().sum(-1)
        return cost

    def _with_pending(self, actions: Tensor) -> Tensor:
        """``actions`` (E, N, H, K*A) with the torques that are already on their way in front."""
        if not self._fixed:
            return actions
        assert self.now.pending is not None
        sent = self.now.pending.flatten(1)[:, None].expand(-1, actions.shape[1], -1)
        return torch.cat([sent, actions.flatten(2)[..., self._fixed :]], 2).view_as(actions)

    def _weights(self, distances: Tensor, horizon: int) -> Tensor:
        """w (E, N or 1, H), summing to one over the horizon, for ``distances`` (E, N, H)."""
        steps = torch.arange(horizon)
        reach = self.now.reach
        reach = distances.new_full((len(distances),), horizon) if reach is None else reach
        reach = reach.clamp(1, horizon)[:, None, None]
        if self.config.shape == "terminal":
            return (steps == reach - 1).to(distances.dtype)
        trusted = steps < reach
        if self.config.shape == "summed":
            return trusted.to(distances.dtype) / reach
        nearest = distances.masked_fill(~trusted, math.inf).argmin(-1, keepdim=True)
        return (steps == nearest).to(distances.dtype)

    def _offsets(self, predicted: Tensor) -> Tensor:
        """(E, N, H, D) -> (E, N, H, M), from the goals, in the goal metric."""
        return (predicted - self.now.goals[:, None, None]) @ self.model.goal_metric

    def _arrival(self, predicted: Tensor) -> Tensor:
        """(E, N, H, D) -> (E, N, M): the last predicted move, weighted."""
        move = (predicted[:, :, -1] - predicted[:, :, -2]) @ self.model.goal_metric
        return math.sqrt(self.config.speed) * move

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
