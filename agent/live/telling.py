"""What a session says in words: how it fares, and the command that repeats it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from agent.interfaces import Array, Decision
from agent.live.controls import Value
from envs import Posable, World, distance_to_goal, goal_unit, worst_error


def truth(world: World, goal: Array | None) -> float:
    """How far the goal (S,) truly is, in :func:`envs.goal_unit`; NaN where no state tells."""
    if goal is None or not world.spec.goal_columns:
        return float("nan")
    return float(worst_error(world.spec, world.state(), goal))


def doing(world: World, goal: Array | None, decision: Decision | None) -> str:
    """What goes on: on its way, there, or held, and why."""
    if decision is not None and decision.held and decision.held[0]:
        return f"held: {decision.held[0]}"
    if goal is None or not world.spec.goal_columns:
        return "going to a picture"
    there = distance_to_goal(world.spec, world.state(), goal) < 1
    error = f"error {truth(world, goal):.3f} {goal_unit(world.spec)}"
    return f"{'at the goal' if there else 'on its way'}, {error}"


def repeating(
    invocation: str, world: World, goal: Array | None, changed: Mapping[str, Value]
) -> str:
    """The command for this situation, with the controls that are not as usual.

    A goal that is a picture alone cannot be written down, and is left out.
    """
    words: list[str] = []
    if isinstance(world, Posable):
        words += ["--start-state", *_numbers(world, world.state())]
        if goal is not None:
            words += ["--goal-state", *_numbers(world, goal)]
    settings = [
        f"{name}={value:g}" if isinstance(value, float) else f"{name}={value}"
        for name, value in changed.items()
        if not name.startswith("goal-") and name != "gallery"  # they are in the goal's state
    ]
    words += ["--set", *settings] if settings else []
    return f"{invocation} {shlex.join(words)}".rstrip()


def _numbers(world: World, state: Array) -> list[str]:
    """Of a state (S,), within what its columns allow: at a stop they are a little beyond."""
    columns = world.spec.state
    return [_within(number, c.low, c.high) for number, c in zip(state, columns, strict=True)]


def _within(number: float, low: float, high: float) -> str:
    inside = min(max(number, low), high)
    said = f"{inside:.4g}"
    return said if low <= float(said) <= high else repr(float(inside))
