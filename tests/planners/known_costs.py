"""A cost whose optimum is known, whatever the shape of a plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from planners import CostFn

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Quadratic:
    """‖(u − optimum)·spread‖² an episode: a least-squares cost with ``optimum`` (E, H, K, A)."""

    optimum: Array
    spread: Array  # (P, R)

    def __call__(self, plans: Array) -> Array:
        """(E, N, H, K, A) -> (E, N)."""
        offsets = (plans - self.optimum[:, None]).reshape(*plans.shape[:2], -1)
        return np.square(offsets @ self.spread).sum(-1)

    def linearise(self, plans: Array) -> tuple[Array, Array]:
        """(E, H, K, A) -> (E, R) and (E, P, R)."""
        offsets = (plans - self.optimum).reshape(len(plans), -1)
        return offsets @ self.spread, np.broadcast_to(self.spread, (len(plans), *self.spread.shape))

    def rows(self, *episodes: int) -> Quadratic:
        """The same cost of some of the episodes."""
        return Quadratic(self.optimum[list(episodes)], self.spread)


@dataclass(frozen=True)
class Priced:
    """The ``slope`` of one cost under the ``price`` of another."""

    price: CostFn
    slope: Quadratic

    def __call__(self, plans: Array) -> Array:
        """(E, N, H, K, A) -> (E, N)."""
        return self.price(plans)

    def linearise(self, plans: Array) -> tuple[Array, Array]:
        """(E, H, K, A) -> (E, R) and (E, P, R)."""
        return self.slope.linearise(plans)


def quadratic_of(steps: int, ticks: int, width: int, episodes: int = 3) -> Quadratic:
    """Optima inside the box, apart from two numbers of the last episode; curvature diagonal."""
    rng = np.random.default_rng(0)
    optimum = rng.uniform(-0.5, 0.5, (episodes, steps, ticks, width)).astype(np.float32)
    optimum[-1, 0, 0, 0], optimum[-1, -1, -1, -1] = 1.8, -1.5
    variables = steps * ticks * width
    return Quadratic(optimum, np.diag(np.linspace(0.5, 2.0, variables)).astype(np.float32))
