"""Actions that act some ticks after they were decided, as on a real robot."""

from __future__ import annotations

from collections import deque
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

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
        self._line: deque[NDArray[np.floating]] = deque()

    def through(self, decided: Actions) -> Actions:
        """What acts at this tick, where actions (E, A) were ``decided``."""
        self._line.append(decided)
        if len(self._line) <= self._ticks:
            return np.zeros_like(decided)
        acting: Actions = self._line.popleft()  # type: ignore[assignment]
        return acting
