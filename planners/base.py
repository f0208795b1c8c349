"""What a planner is given and what it returns.

A planner sees a batched cost function, never a network and never a simulator. Shapes use the
legend ``E`` episodes planned together, ``N`` candidates, ``H`` planner steps, ``U`` numbers per
planner step (a block of torques), ``R`` residuals, ``P = H * U`` decision variables.
"""

from __future__ import annotations

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


@dataclass(frozen=True)
class Plan:
    """The best plan found and how the search went.

    ``actions`` (E, H, U) inside the box; ``cost`` (E,) of those actions; ``cost_history`` (I, E)
    the best cost known after each of the I iterations, never rising.
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
    ) -> Plan:
        """Improve on ``warm_start`` (E, H, U); episode ``e`` draws only from ``generators[e]``."""


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
