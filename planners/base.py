"""What a planner is given and what it returns.

A planner sees a batched cost function, never a network and never a simulator. Shapes: ``E``
episodes planned together, ``N`` candidates, a plan of ``H`` planner steps of ``K`` ticks of ``A``
numbers, ``R`` residuals, ``P = H * K * A`` decision variables.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]

CostFn = Callable[[Array], Array]
"""(E, N, H, K, A) -> (E, N), lower is better; what is not finite is never chosen."""


@runtime_checkable
class LeastSquaresCost(Protocol):
    """A cost that is the squared length of a residual vector, and knows its slope.

    Planners that go downhill need this; sampling planners need only the call.
    """

    def __call__(self, plans: Array) -> Array:
        """(E, N, H, K, A) -> (E, N), the sum of squared residuals."""

    def linearise(self, plans: Array) -> tuple[Array, Array]:
        """(E, H, K, A) -> residuals (E, R) and their slopes (E, P, R), the Jacobian transposed."""


class SeededNoise:
    """Random numbers for E episodes, each from a stream of its own, whatever the others draw."""

    def __init__(self, seeds: Sequence[int]) -> None:
        self._streams = [np.random.default_rng(np.random.SeedSequence(seed)) for seed in seeds]

    def normal(self, shape: tuple[int, ...]) -> Array:
        """The next standard normal (E, *shape), float32."""
        return np.stack([s.standard_normal(shape, dtype=np.float32) for s in self._streams])

    def uniform(self, shape: tuple[int, ...]) -> Array:
        """The next (E, *shape), uniform in [0, 1), float32."""
        return np.stack([s.random(shape, dtype=np.float32) for s in self._streams])


Noise = SeededNoise  # as planners name what they are given


@dataclass(frozen=True)
class ActionBounds:
    """The box every planned number must stay in.

    Raises:
        ValueError: if ``low`` is not below ``high``.
    """

    low: float = -1.0
    high: float = 1.0

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ValueError(f"expected low < high, got low={self.low}, high={self.high}")

    def clip(self, actions: Array) -> Array:
        """The nearest actions inside the box, same shape."""
        return np.clip(actions, self.low, self.high)


class Deadline:
    """A moment after which a planner returns the best plan it has.

    Args:
        after_s: seconds from now; below 0 if the moment is over already.
        clock: tells the time [s], never going back.

    Raises:
        ValueError: if ``after_s`` is not a number.
    """

    def __init__(self, after_s: float, clock: Callable[[], float] = time.perf_counter) -> None:
        if after_s != after_s:
            raise ValueError("expected a deadline in seconds from now, got NaN")
        self._clock = clock
        self._moment_s = clock() + after_s

    def left_s(self) -> float:
        """Seconds until then; 0 or less once time is up."""
        return self._moment_s - self._clock()

    def passed(self) -> bool:
        """Whether time is up."""
        return self.left_s() <= 0


@dataclass(frozen=True)
class Plan:
    """The best plan found and how the search went.

    ``actions`` (E, H, K, A) inside the box; ``cost`` (E,) of those actions, infinite where no plan
    had a finite one; ``cost_history`` (I, E) the best cost known after each of the I >= 1
    iterations that there was time for, never rising.
    """

    actions: Array
    cost: Array
    cost_history: Array


class Planner(Protocol):
    """Searches action sequences; holds settings but no state between calls."""

    def plan(
        self,
        cost_fn: CostFn,
        warm_start: Array,
        bounds: ActionBounds,
        noise: Noise,
        deadline: Deadline | None = None,
    ) -> Plan:
        """Improve on ``warm_start`` (E, H, K, A); what is random comes from ``noise`` alone.

        No iteration begins after the ``deadline``, nor one that would end after it, as far as
        those before tell. The plan is then the best so far, the warm start if nothing else was
        tried, and never costs more than the warm start.

        Raises:
            ValueError: if the warm start is not (E, H, K, A).
        """
