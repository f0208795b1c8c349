"""Keeping time at every control tick."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from planners import Deadline


class TickWatch:
    """Gives every tick its deadline; ``was_late`` says whether the last one took longer.

    Args:
        tick_ms: milliseconds a tick may take; None for as long as it needs.
        clock: tells the time [s].

    Raises:
        ValueError: if ``tick_ms`` is not positive.
    """

    def __init__(
        self, tick_ms: float | None, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        if tick_ms is not None and not tick_ms > 0:
            raise ValueError(f"expected tick_ms > 0, got {tick_ms}")
        self.tick_ms, self._clock = tick_ms, clock
        self.was_late = False

    @contextmanager
    def tick(self) -> Iterator[Deadline | None]:
        """The body is one tick."""
        began_s = self._clock()
        yield None if self.tick_ms is None else Deadline(self.tick_ms / 1e3, self._clock)
        spent_ms = 1e3 * (self._clock() - began_s)
        self.was_late = self.tick_ms is not None and spent_ms > self.tick_ms
