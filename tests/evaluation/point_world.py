"""A world whose outcomes are known on paper: numbers in a box that move by the actions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from agent.interfaces import Array, Decision, Goals, Needs, Seen
from envs import Column, Episode, Verdict, WorldSpec, judge_by_tolerance

STEP_S, PACE, TOLERANCE = 0.1, 0.125, 0.25  # of a tick; powers of two, so that sums are exact


class PointWorld:
    """A point in [-2, 2]^A; ``ends_at`` ends an episode after so many ticks, 0 never."""

    def __init__(self, axes: int = 1, ends_at: int = 0, look: str = "plain", side: int = 8) -> None:
        columns = tuple(Column(f"x{i}", "m", tolerance=TOLERANCE) for i in range(axes))
        self.spec = WorldSpec("point", look, (side, side), axes, STEP_S, columns)
        self._at, self._ticks, self._ends_at = np.zeros(axes), 0, ends_at
        self.frames_drawn, self.is_open = 0, True

    def reset(self, rng: np.random.Generator, state: Array | None = None) -> None:
        self._at = self.sample_state(rng) if state is None else np.array(state, np.float64)
        self._ticks = 0

    def step(self, action: Array) -> bool:
        assert np.abs(action).max() <= 1.0
        assert not self._ends_at or self._ticks < self._ends_at, "stepped after its end"
        self._at = np.clip(self._at + PACE * np.asarray(action, np.float64), -2.0, 2.0)
        self._ticks += 1
        return self._ticks == self._ends_at

    def frame(self) -> Any:
        self.frames_drawn += 1
        return self.picture(self._at)

    def state(self) -> Array:
        return self._at.copy()

    def sample_state(self, rng: np.random.Generator) -> Array:
        return rng.integers(-8, 9, self.spec.action_dim) / 8.0

    def picture(self, state: Array) -> Any:
        pixels = np.zeros(self.spec.frame_shape, np.uint8)
        pixels.reshape(-1)[: self.spec.action_dim] = np.round(128 + 32 * np.asarray(state))
        return pixels

    def close(self) -> None:
        self.is_open = False


class FromTo:
    """Every episode from ``start`` to ``goal``, the given number of ticks."""

    name, about = "from-to", "Straight there."

    def __init__(self, start: Sequence[float], goal: Sequence[float], budget_steps: int) -> None:
        self.start, self.goal = np.array(start, float), np.array(goal, float)
        self.budget_steps = budget_steps

    def episode(self, world: Any, seed: int, index: int) -> Episode:
        return Episode(seed + index, self.goal, self.start)

    def judge(self, world: WorldSpec, path: Array, start: Array, episode: Episode) -> Verdict:
        return judge_by_tolerance(world, path, start, episode)


class Straight:
    """Goes straight to the goal it is told, and stays."""

    name = "straight"

    def __init__(self, spec: WorldSpec) -> None:
        self.needs = Needs(pixels=False, state=True, spec=spec)
        self._goals = np.empty((0, spec.action_dim))

    def reset(self, goals: Goals, seeds: Sequence[int]) -> None:
        assert goals.pixels is None and goals.state is not None
        self._goals = goals.state

    def act(self, seen: Seen) -> Decision:
        assert seen.pixels is None and seen.state is not None
        return Decision(np.clip((self._goals - seen.state) / PACE, -1.0, 1.0))


class Scripted:
    """Gives what it was told to, whatever it sees: ``actions`` of any kind at every tick."""

    name = "scripted"

    def __init__(self, actions: Any, needs: Needs | None = None, fault_at: int = -1) -> None:
        self.needs = needs or Needs(pixels=False)
        self._actions, self._fault_at, self._tick = actions, fault_at, 0

    def reset(self, goals: Goals, seeds: Sequence[int]) -> None:
        self._tick = 0

    def act(self, seen: Seen) -> Decision:
        fault = "not finite" if self._tick == self._fault_at else None
        self._tick += 1
        return Decision(self._actions, fault)
