"""The goal cost of :mod:`agent.control.goal_cost` in numpy: its graphs plus the torque terms."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from agent.deploy.graphs import Graphs
from agent.interfaces import FloatArray


@dataclass(frozen=True)
class Situation:
    """What is known at one control tick, of E episodes.

    ``embeddings`` (E, L, D), the last one now; ``past`` (E, L-1, K*A), torque blocks between
    them; ``goals`` (E, D); ``drift`` (E, D), added to every prediction; ``reach`` (E,),
    predicted steps that are to be trusted.
    """

    embeddings: FloatArray
    past: FloatArray
    goals: FloatArray
    drift: FloatArray
    reach: FloatArray

    def inputs(self) -> dict[str, FloatArray]:
        """What the graphs take, by their names for it."""
        return {name: getattr(self, name) for name in ("embeddings", "past", "drift", "goals")}


class GoalCost:
    """Least-squares cost of torque plans for E episodes: ``summed``, as torch's default."""

    def __init__(self, graphs: Graphs, now: Situation) -> None:
        self._graphs, self._settings, self._inputs = graphs, graphs.settings, now.inputs()
        steps = np.arange(self._settings.horizon)
        reach = now.reach.clip(1, self._settings.horizon)[:, None]
        self._weights = (steps < reach).astype(np.float32) / reach  # (E, H)
        self._last_torque = np.zeros((len(now.goals), 1, self._settings.torque_dim), np.float32)
        if now.past.shape[1]:  # a context of one embedding has no past
            self._last_torque = now.past[:, -1:, -self._settings.torque_dim :]

    def __call__(self, plans: FloatArray) -> FloatArray:
        """(E, N, H, K*A) -> (E, N)."""
        offsets = self._graphs.offsets(self._inputs, plans)
        distances = np.square(offsets).sum(-1) * self._weights[:, None]
        cost: FloatArray = distances.sum(-1) + np.square(self._torque_residuals(plans)).sum(-1)
        return cost

    def linearise(self, plan: FloatArray) -> tuple[FloatArray, FloatArray]:
        """(E, H, K*A) -> residuals (E, R) and their slopes (E, P, R), the Jacobian transposed."""
        offsets, slopes = self._graphs.slopes(self._inputs, plan)
        directions = offsets.shape[1] // plan.shape[1]
        weights = np.sqrt(self._weights).repeat(directions, 1)  # (E, H*M)
        torques = self._torque_residuals(plan[:, None])[:, 0]
        torque_slopes = self._torque_slopes(plan[0].size)
        torque_slopes = np.broadcast_to(torque_slopes, (len(plan), *torque_slopes.shape))
        return (
            np.concatenate([offsets * weights, torques], 1),
            np.concatenate([slopes * weights[:, None], torque_slopes], 2),
        )

    def _torque_residuals(self, plans: FloatArray) -> FloatArray:
        """(E, N, H, K*A) -> (E, N, 2*H*K*A): torques, then their changes, weighted."""
        episodes, count = plans.shape[:2]
        ticks = plans.reshape(episodes, count, -1, self._settings.torque_dim)
        before = np.broadcast_to(self._last_torque[:, None], ticks[:, :, :1].shape)
        changes = ticks - np.concatenate([before, ticks[:, :, :-1]], 2)
        effort, change = self._torque_scales(ticks.shape[2])
        weighted = [effort * ticks, change * changes]
        return np.concatenate([each.reshape(episodes, count, -1) for each in weighted], 2)

    def _torque_slopes(self, variables: int) -> FloatArray:
        """Slopes (P, 2*P) of :meth:`_torque_residuals`, the same for every plan."""
        effort, change = self._torque_scales(variables // self._settings.torque_dim)
        unit = np.eye(variables, dtype=np.float32)
        shifted = np.eye(variables, k=self._settings.torque_dim, dtype=np.float32)
        return np.concatenate([effort * unit, change * (unit - shifted)], 1)

    def _torque_scales(self, ticks: int) -> tuple[np.float32, np.float32]:
        effort, change = self._settings.effort, self._settings.change
        return np.float32(math.sqrt(effort / ticks)), np.float32(math.sqrt(change / ticks))
