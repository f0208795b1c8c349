"""A controller whose actions act some ticks after they were decided, as on a real robot."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from agent.interfaces import Array, Controller, Decision, Goals, Needs, Seen


class DelayedController:
    """``controller`` behind a line ``ticks`` control ticks long; no action until it is through.

    Raises:
        ValueError: if ``ticks`` is negative.
    """

    def __init__(self, controller: Controller, ticks: int) -> None:
        if ticks < 0:
            raise ValueError(f"expected a delay of ticks >= 0, got {ticks}")
        self._controller, self._ticks = controller, ticks
        self._line: deque[Array] = deque()

    @property
    def name(self) -> str:
        """The controller's own."""
        return self._controller.name

    @property
    def needs(self) -> Needs:
        """The controller's own."""
        return self._controller.needs

    def reset(self, goals: Goals, seeds: Sequence[int]) -> None:
        """Start E episodes with an empty line."""
        self._line = deque()
        self._controller.reset(goals, seeds)

    def act(self, seen: Seen) -> Decision:
        """The actions (E, A) that come out of the line at this tick."""
        decision = self._controller.act(seen)
        self._line.append(np.asarray(decision.actions, np.float64))
        if len(self._line) <= self._ticks:
            return replace(decision, actions=np.zeros_like(self._line[-1]))
        return replace(decision, actions=self._line.popleft())
