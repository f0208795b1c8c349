"""How far a plan ends from the goal, in the model's own embedding, and how rough it is.

    cost(u) = mean_h ‖(z_h(u) − z_goal)·M‖²
              + effort · mean_t |u_t|² + change · mean_t |u_t − u_{t−1}|²

with z_h the embedding predicted after h model steps, of those that are trusted, and M the goal
metric (see :mod:`agent.model.metric`). All of the horizon counts, so the world is asked to come
early *and* to stay. The embedding is only seen once a model step; without the action terms a
second-order planner finds actions that fight each other in between, and chatters at the goal.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from agent.control.model import Model, Situation
from agent.interfaces import FloatArray


@dataclass(frozen=True)
class GoalCostConfig:
    """Weights against a squared embedding distance of order D between far-apart states.

    ``effort`` of a squared action, ``change`` of a squared difference between actions one control
    tick apart.
    """

    effort: float = 0.003
    change: float = 0.03

    def __post_init__(self) -> None:
        if not (self.effort >= 0 and self.change >= 0):
            raise ValueError(
                f"expected effort and change >= 0, got {self.effort} and {self.change}"
            )


class GoalCost:
    """Least-squares cost of plans (E, N, H, K, A) for E episodes.

    Actions that are on their way already are the fixed beginning of every plan.
    """

    def __init__(self, model: Model, now: Situation, config: GoalCostConfig, horizon: int) -> None:
        self._model, self._now, self._config = model, now, config
        reach = now.reach.clip(1, horizon)[:, None]
        self._weights = (np.arange(horizon) < reach).astype(np.float32) / reach  # (E, H)
        self._fixed = now.pending[0].size  # leading numbers of a plan that are decided
        width = model.spec.action_dim
        self._last = np.zeros((len(now.goals), 1, width), np.float32)
        if now.past.shape[1]:  # a context of one embedding has no past
            self._last = now.past[:, -1:, -width:]

    def __call__(self, plans: FloatArray) -> FloatArray:
        """(E, N, H, K, A) -> (E, N)."""
        blocks = self._with_pending(plans.reshape(*plans.shape[:3], -1))
        offsets = self._model.rollout(self._now, blocks)
        distances = np.square(offsets).sum(-1) * self._weights[:, None]
        cost: FloatArray = distances.sum(-1) + np.square(self._roughness(blocks)).sum(-1)
        return cost

    def linearise(self, plans: FloatArray) -> tuple[FloatArray, FloatArray]:
        """(E, H, K, A) -> residuals (E, R) and their slopes (E, P, R), the Jacobian transposed."""
        blocks = self._with_pending(plans.reshape(len(plans), 1, plans.shape[1], -1))
        offsets, slopes = self._model.linearise(self._now, blocks[:, 0])
        weights = np.sqrt(self._weights)[..., None]  # (E, H, 1)
        far = (offsets * weights).reshape(len(plans), -1)
        far_slopes = (slopes * weights[:, None]).reshape(*slopes.shape[:2], -1)
        rough_slopes = _roughness_slopes(self._config, plans[0].size, self._last.shape[2])
        rough_slopes = np.broadcast_to(rough_slopes, (len(plans), *rough_slopes.shape))
        every = np.concatenate([far_slopes, rough_slopes], 2)
        every[:, : self._fixed] = 0.0
        return np.concatenate([far, self._roughness(blocks)[:, 0]], 1), every

    def _with_pending(self, blocks: FloatArray) -> FloatArray:
        """``blocks`` (E, N, H, K*A) with the actions that are already on their way in front, in
        float32, as models have it: a planner may not.
        """
        blocks = np.asarray(blocks, np.float32)
        if not self._fixed:
            return blocks
        filled = blocks.reshape(*blocks.shape[:2], -1).copy()
        filled[..., : self._fixed] = self._now.pending.reshape(len(filled), 1, -1)
        return filled.reshape(blocks.shape)

    def _roughness(self, blocks: FloatArray) -> FloatArray:
        """(E, N, H, K*A) -> (E, N, 2*P): actions, then their changes, weighted."""
        episodes, count = blocks.shape[:2]
        ticks = blocks.reshape(episodes, count, -1, self._last.shape[2])
        before = np.broadcast_to(self._last[:, None], ticks[:, :, :1].shape)
        changes = ticks - np.concatenate([before, ticks[:, :, :-1]], 2)
        effort, change = _scales(self._config, ticks.shape[2])
        weighted = [effort * ticks, change * changes]
        return np.concatenate([each.reshape(episodes, count, -1) for each in weighted], 2)


@lru_cache(maxsize=8)
def _roughness_slopes(config: GoalCostConfig, variables: int, width: int) -> FloatArray:
    """Slopes (P, 2*P) of a plan's weighted actions of ``width`` and their changes, as of any."""
    effort, change = _scales(config, variables // width)
    unit = np.eye(variables, dtype=np.float32)
    shifted = np.eye(variables, k=width, dtype=np.float32)
    return np.concatenate([effort * unit, change * (unit - shifted)], 1)


def _scales(config: GoalCostConfig, ticks: int) -> tuple[np.float32, np.float32]:
    effort, change = config.effort / ticks, config.change / ticks
    return np.float32(math.sqrt(effort)), np.float32(math.sqrt(change))
