"""What a planner is given and what it returns.

A planner sees a batched cost function, never a network and never a simulator. Shapes use the
legend ``E`` episodes planned together, ``N`` candidates, ``H`` planner steps, ``U`` numbers per
planner step (a block of torques), ``R`` residuals, ``P = H * U`` decision variables.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

CostFn = Callable[[Tensor], Tensor]
"""(E, N, H, U) -> (E, N), finite, lower is better."""


@runtime_checkable
class LeastSquaresCost(Protocol):
    """A cost that is the squared length of a residual vector, and knows its slope.

    Second-order planners need this; sampling planners need only the call.
    """

    def __call__(self, actions: Tensor) -> Tensor:
        """(E, N, H, U) -> (E, N), the sum of squared residuals."""

    def linearise(self, actions: Tensor) -> tuple[Tensor, Tensor]:
        """(E, H, U) -> residuals (E, R) and their Jacobian (E, R, P)."""


@runtime_checkable
class DifferentiableCost(Protocol):
    """A cost that knows which way it falls. First-order planners need this."""

    def __call__(self, actions: Tensor) -> Tensor:
        """(E, N, H, U) -> (E, N)."""

    def gradient(self, actions: Tensor) -> tuple[Tensor, Tensor]:
        """(E, N, H, U) -> costs (E, N) and their derivatives (E, N, H, U)."""


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

    def clip(self, actions: Tensor) -> Tensor:
        """The nearest actions inside the box, same shape."""
        return actions.clamp(self.low, self.high)


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

    def passed(self) -> bool:
        """Whether time is up."""
        return self._clock() >= self._moment_s


@dataclass(frozen=True)
class Plan:
    """The best plan found and how the search went.

    ``actions`` (E, H, U) inside the box; ``cost`` (E,) of those actions; ``cost_history`` (I, E)
    the best cost known after each of the I >= 1 iterations that there was time for, never rising.
    """

    actions: Tensor
    cost: Tensor
    cost_history: Tensor


class Planner(Protocol):
    """Searches action sequences; holds settings but no state between calls."""

    def plan(
        self,
        cost_fn: CostFn,
        warm_start: Tensor,
        bounds: ActionBounds,
        generators: Sequence[torch.Generator],
        deadline: Deadline | None = None,
    ) -> Plan:
        """Improve on ``warm_start`` (E, H, U); episode ``e`` draws only from ``generators[e]``.

        No iteration begins after the ``deadline``. The plan is then the best so far, the warm
        start if nothing else was tried, and never costs more than the warm start.

        Raises:
            ValueError: if the warm start is not (E, H, U) or there is not one generator an
                episode.
        """


def check_plan_arguments(
    warm_start: Tensor, generators: Sequence[torch.Generator]
) -> tuple[int, int, int]:
    """Shape (E, H, U) of a planning call.

    Raises:
        ValueError: if the warm start is not (E, H, U) or there is not one generator an episode.
    """
    if warm_start.ndim != 3:
        raise ValueError(f"expected a warm start (E, H, U), got shape {tuple(warm_start.shape)}")
    episodes, steps, width = warm_start.shape
    if len(generators) != episodes:
        raise ValueError(f"expected {episodes} generators, one an episode, got {len(generators)}")
    return episodes, steps, width
