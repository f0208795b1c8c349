"""Actions that act some ticks after they were decided, as on a real robot."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from agent.control.asking import asked
from agent.interfaces import Controller, Decision, Goals, Needs, Seen

Actions = TypeVar("Actions", bound=NDArray[np.floating])


class DelayLine:
    """A line ``ticks`` control ticks long; no action until it is through.

    Raises:
        ValueError: if ``ticks`` is negative.
    """

    def __init__(self, ticks: int) -> None:
        if ticks < 0:
            raise ValueError(f"expected a delay of ticks >= 0, got {ticks}")
        self._ticks = ticks
        self._line: deque[Any] = deque()

    def through(self, decided: Actions) -> Actions:
        """What acts at this tick, where actions (E, A) were ``decided``."""
        self._line.append(decided.copy())  # it may be decided into the same array again
        still = len(self._line) <= self._ticks
        acting: Actions = np.zeros_like(decided) if still else self._line.popleft()
        return acting

    def on_the_way(self, still: Actions) -> Actions:
        """What will act at the coming ticks (E, ticks, A); ``still`` (E, A) where nothing was
        decided yet."""
        waiting = [still] * (self._ticks - len(self._line)) + list(self._line)
        found: Any = np.stack(waiting, 1) if waiting else still[:, None][:, :0]
        return cast(Actions, found)


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
        decision = asked(self._controller, seen)
        return replace(
            decision, actions=self._line.through(np.asarray(decision.actions, np.float64))
        )
