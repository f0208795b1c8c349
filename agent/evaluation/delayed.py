"""A controller whose actions act some ticks after they were decided, as on a real robot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from agent.control.delay_line import DelayLine
from agent.interfaces import Controller, Decision, Goals, Needs, Seen


class DelayedController:
    """``controller`` behind a :class:`DelayLine` of ``ticks``; errors as of that."""

    def __init__(self, controller: Controller, ticks: int) -> None:
        self._controller, self._ticks, self._line = controller, ticks, DelayLine(ticks)

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
        self._line = DelayLine(self._ticks)
        self._controller.reset(goals, seeds)

    def act(self, seen: Seen) -> Decision:
        """The actions (E, A) that come out of the line at this tick."""
        decision = self._controller.act(seen)
        return replace(
            decision, actions=self._line.through(np.asarray(decision.actions, np.float64))
        )
