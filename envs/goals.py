"""How far a state is from a goal, by the columns of a world's spec that have a tolerance."""

from __future__ import annotations

from math import isfinite

import numpy as np

from envs.base import Array, WorldSpec
from envs.errors import SpecError

QUATERNION = "quaternion"  # the unit of four numbers of one point that are a turn


def state_error(spec: WorldSpec, state: Array, goal: Array) -> Array:
    """Absolute differences (..., S) of states, the short way round where a number comes round."""
    difference: Array = np.abs(np.asarray(state, np.float64) - np.asarray(goal, np.float64))
    for index, column in enumerate(spec.state):
        if isfinite(column.period):
            turned = np.mod(difference[..., index], column.period)
            difference[..., index] = np.minimum(turned, column.period - turned)
    return difference


def goal_errors(spec: WorldSpec, state: Array, goal: Array) -> tuple[Array, Array]:
    """How far states (..., S) are from a goal: errors (..., G) in their units, tolerances (G,).

    G numbers or points have a tolerance; the rest of the state does not count.

    Raises:
        SpecError: if there is none.
    """
    if not spec.goal_columns:
        raise SpecError(
            f"expected a world whose state says when a goal is reached, got {spec.world}: "
            + _advice(spec)
        )
    error = state_error(spec, state, goal)
    groups: dict[str, list[int]] = {}
    for index in spec.goal_columns:
        groups.setdefault(spec.state[index].point or spec.state[index].name, []).append(index)
    lengths = [np.linalg.norm(error[..., columns], axis=-1) for columns in groups.values()]
    for place, columns in enumerate(groups.values()):
        if spec.state[columns[0]].unit == QUATERNION:  # q and -q are one turn
            turned = np.asarray(state)[..., columns] + np.asarray(goal)[..., columns]
            lengths[place] = np.minimum(lengths[place], np.linalg.norm(turned, axis=-1))
    tolerances = [spec.state[columns[0]].tolerance for columns in groups.values()]
    return np.stack(lengths, -1), np.array(tolerances, dtype=np.float64)


def of_one_sign(spec: WorldSpec, states: Array) -> Array:
    """States (..., S) with the first number of every quaternion at 0 or above."""
    found = np.array(states, np.float64)
    points = dict.fromkeys(c.point for c in spec.state if c.unit == QUATERNION)
    for point in points:
        columns = [i for i, column in enumerate(spec.state) if column.point == point]
        found[..., columns] *= np.where(found[..., columns[:1]] < 0, -1.0, 1.0)
    return found


def _advice(spec: WorldSpec) -> str:
    if not spec.state:
        return "it tells no state; evaluate --data needs none"
    names = spec.state_names
    return (
        f"say how near is near, in units of its own, as in --world {spec.world}@{names[0]}=0.1 "
        f"(of {', '.join(names)})"
    )


def distance_to_goal(spec: WorldSpec, state: Array, goal: Array) -> Array:
    """How far states (..., S) are from a goal, (...): the largest error in units of tolerance.

    Below 1 the goal is reached. Raises ``SpecError`` as :func:`goal_errors`.
    """
    errors, tolerances = goal_errors(spec, state, goal)
    shares: Array = (errors / tolerances).max(-1)
    return shares


def worst_error(spec: WorldSpec, state: Array, goal: Array) -> Array:
    """The largest error of states (..., S), (...), in the unit of :func:`goal_unit`.

    Raises ``SpecError`` as :func:`goal_errors`.
    """
    errors, tolerances = goal_errors(spec, state, goal)
    worst: Array = (errors / tolerances if goal_unit(spec) == "tolerances" else errors).max(-1)
    return worst


def goal_unit(spec: WorldSpec) -> str:
    """The unit that the errors of a goal share; "tolerances" where they have several."""
    units = {spec.state[index].unit for index in spec.goal_columns}
    return units.pop() if len(units) == 1 else "tolerances"
