"""Actions that act some ticks after they were decided, as on a real robot."""

from __future__ import annotations

from collections import deque
from typing import Any, TypeVar

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
        self._line: deque[Any] = deque()

    def through(self, decided: Actions) -> Actions:
        """What acts at this tick, where actions (E, A) were ``decided``."""
        self._line.append(decided)
        still = len(self._line) <= self._ticks
        acting: Actions = np.zeros_like(decided) if still else self._line.popleft()
        return acting
