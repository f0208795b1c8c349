"""A controller whose torques act some ticks after they were decided, as on a real robot."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np

from agent.interfaces import Array, Controller, GoalObservation


class DelayedController:
    """``controller`` behind a line ``ticks`` control ticks long; zero torque until it is through.

    All else it is asked for is the controller's own.

    Raises:
        ValueError: if ``ticks`` is negative.
    """

    def __init__(self, controller: Controller, ticks: int) -> None:
        if ticks < 0:
            raise ValueError(f"expected a delay of ticks >= 0, got {ticks}")
        self._controller, self._ticks = controller, ticks
        self._line: deque[Array] = deque()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._controller, name)

    def reset(self, observations: Sequence[GoalObservation], seeds: Sequence[int]) -> None:
        """Start E episodes with an empty line."""
        self._line = deque([np.zeros((len(seeds), 2))] * self._ticks)
        self._controller.reset(observations, seeds)

    def act(self, observations: Sequence[GoalObservation]) -> Array:
        """Torques (E, A) that come out of the line at this tick."""
        self._line.append(self._controller.act(observations))
        return self._line.popleft()
