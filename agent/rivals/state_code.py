"""States as a policy reads them: one code for the environment it learns in and for the controller.

A number that comes round is its cosine and sine; one with finite limits is scaled to [-1, 1]; a
rate (a unit "per second") is divided by 10 and cut at ±10; a quaternion is of the two the one that
begins with 0 or more; anything else stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np

from agent.errors import UserError
from agent.interfaces import Array, FloatArray
from envs import Column, WorldSpec, distance_to_goal, of_one_sign

RATE_SCALE, RATE_LIMIT = 10.0, 10.0


@dataclass(frozen=True)
class StateCode:
    """The code of the states of ``spec``; positions first, then rates.

    UserError if no number of the state says when a goal is reached.
    """

    spec: WorldSpec

    def __post_init__(self) -> None:
        if not self.spec.goal_columns:
            raise UserError(
                f"expected a world whose state says when a goal is reached, got {self.spec.world}: "
                "learn from pictures instead (--algorithm clone --data DIR)"
            )

    def observation(self, states: Array) -> FloatArray:
        """All numbers of ``states`` (..., S)."""
        return _encoded(self.spec, states, range(len(self.spec.state)))

    def goal(self, states: Array) -> FloatArray:
        """Those of ``states`` (..., S) that a goal is about."""
        return _encoded(self.spec, states, self.spec.goal_columns)

    def distance(self, achieved: FloatArray, desired: FloatArray) -> Array:
        """How far encoded goals (..., G) are apart, (...): the largest error in tolerances."""
        return distance_to_goal(self.spec, self._decoded(achieved), self._decoded(desired))

    def features(self, states: Array, goals: Array) -> FloatArray:
        """What a network reads (E, F): achieved goal, desired goal and observation.

        That is the order in which the learner joins the parts of an observation.
        """
        parts = [self.goal(states), self.goal(goals), self.observation(states)]
        return np.concatenate(parts, -1)

    def _decoded(self, goal: FloatArray) -> Array:
        """States (..., S) from encoded goals (..., G), zero where a goal says nothing."""
        numbers = np.asarray(goal, np.float64)
        states = np.zeros((*numbers.shape[:-1], len(self.spec.state)))
        place = 0
        for index in self.spec.goal_columns:
            column = self.spec.state[index]
            if isfinite(column.period):
                turn = np.arctan2(numbers[..., place + 1], numbers[..., place])
                states[..., index] = turn * column.period / (2.0 * np.pi)
                place += 2
                continue
            middle, half = _frame(column)
            states[..., index] = middle + half * numbers[..., place]
            place += 1
        return states


def _encoded(spec: WorldSpec, states: Array, columns: Sequence[int]) -> FloatArray:
    numbers = of_one_sign(spec, states)
    parts: list[Array] = []
    for index in columns:
        column, value = spec.state[index], numbers[..., index]
        if isfinite(column.period):
            turn = value * (2.0 * np.pi / column.period)
            parts += [np.cos(turn), np.sin(turn)]
            continue
        middle, half = _frame(column)
        scaled = (value - middle) / half
        if _is_rate(column) and column.tolerance is None:
            scaled = np.minimum(np.maximum(scaled, -RATE_LIMIT), RATE_LIMIT)
        parts.append(scaled)
    return np.stack(parts, -1).astype(np.float32)


def _frame(column: Column) -> tuple[float, float]:
    """What is subtracted from a number, and what it is divided by."""
    if isfinite(column.low) and isfinite(column.high):
        return (column.low + column.high) / 2.0, (column.high - column.low) / 2.0
    return 0.0, RATE_SCALE if _is_rate(column) else 1.0


def _is_rate(column: Column) -> bool:
    return column.unit.endswith("/s")
