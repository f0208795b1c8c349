"""One planning call, from its arguments to its plan: what every planner does, in one place."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator

import numpy as np

from planners.base import (
    ActionBounds,
    Array,
    CostFn,
    Deadline,
    LeastSquaresCost,
    Noise,
    Plan,
)


class Search:
    """The best plan so far, how it came about, and when to stop.

    ``best`` (E, H, K, A) starts as the warm start inside the box, zero where that is no number;
    ``cost`` (E,) is infinite until something finite has been tried. Arguments and errors are those
    of :meth:`planners.base.Planner.plan`.
    """

    def __init__(
        self,
        cost_fn: CostFn,
        warm_start: Array,
        bounds: ActionBounds,
        deadline: Deadline | None = None,
    ) -> None:
        if warm_start.ndim != 4:
            raise ValueError(f"expected a warm start (E, H, K, A), got shape {warm_start.shape}")
        self._cost_fn, self._bounds, self._deadline = cost_fn, bounds, deadline
        self._history: list[Array] = []
        self._tried, self._longest_s = False, 0.0
        self.best = bounds.clip(np.where(np.isnan(warm_start), 0, warm_start))
        self.cost = np.full(len(self.best), np.inf, self.best.dtype)

    def least_squares(self) -> LeastSquaresCost:
        """The cost, for planners that go downhill.

        Raises:
            ValueError: if it cannot be linearised.
        """
        if not isinstance(self._cost_fn, LeastSquaresCost):
            raise ValueError(
                "expected a cost with linearise() (LeastSquaresCost), got a plain function; "
                "use CEMPlanner for costs without a slope"
            )
        return self._cost_fn

    def rounds(self, count: int) -> Iterator[int]:
        """0, 1, ... ``count`` - 1, as long as there is time; notes the best cost after each.

        None begins that would end too late if it took as long as the longest before it.
        """
        for number in range(count):
            left_s = math.inf if self._deadline is None else self._deadline.left_s()
            if left_s <= 0 or left_s < self._longest_s:
                return
            yield number
            self._history.append(self.cost)
            if self._deadline is not None:
                self._longest_s = max(self._longest_s, left_s - self._deadline.left_s())

    def try_all(self, candidates: Array, known: Array | None = None) -> Array:
        """Costs (E, N) of ``candidates`` (E, N, H, K, A); the cheapest becomes the best if it is.

        A cost that is not finite, or that of a plan that is not, counts as infinite, the worst.
        ``known`` (E,) is what the best so far costs, if that is known without another trial.
        """
        costs = self._cost_fn(candidates)
        sound = np.isfinite(costs) & np.isfinite(candidates).all((2, 3, 4))
        costs = np.where(sound, costs, np.inf)
        if known is not None:
            news = np.isfinite(known) & np.isinf(self.cost)
            self.cost = np.where(news, known, self.cost).astype(self.cost.dtype)
        rows, index = np.arange(len(costs)), costs.argmin(1)
        better = costs[rows, index] < self.cost
        chosen = self._bounds.clip(candidates[rows, index])  # an average can round past a bound
        self.best = np.where(better[:, None, None, None], chosen, self.best)
        self.cost = np.where(better, costs[rows, index], self.cost)
        self._tried = True
        return costs

    def plan(self) -> Plan:
        """The best plan; the warm start, with its cost, if time was up before anything else."""
        if not self._tried:
            self.try_all(self.best[:, None])
        return Plan(self.best, self.cost, np.stack(self._history or [self.cost]))


class SearchPlanner(ABC):
    """A planner that is its settings and says in :meth:`improve` how it searches."""

    def plan(
        self,
        cost_fn: CostFn,
        warm_start: Array,
        bounds: ActionBounds,
        noise: Noise,
        deadline: Deadline | None = None,
    ) -> Plan:
        """See :class:`planners.base.Planner`.

        Raises:
            ValueError: also if the planner goes downhill and ``cost_fn`` cannot be linearised.
        """
        search = Search(cost_fn, warm_start, bounds, deadline)
        self.improve(search, bounds, noise)
        return search.plan()

    @abstractmethod
    def improve(self, search: Search, bounds: ActionBounds, noise: Noise) -> None:
        """Try plans inside the ``bounds``, as long as ``search`` has time for."""
