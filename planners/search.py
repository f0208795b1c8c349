"""One planning call, from its arguments to its plan: what every planner does, in one place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from planners.base import ActionBounds, CostFn, Deadline, Plan, check_plan_arguments
from planners.sampling import keep_best


class Search:
    """The best plan so far, how it came about, and when to stop.

    ``best`` (E, H, U) starts as the warm start inside the box; ``cost`` (E,) is infinite until
    something has been tried. Arguments and errors are those of
    :meth:`planners.base.Planner.plan`.
    """

    def __init__(
        self,
        cost_fn: CostFn,
        warm_start: Tensor,
        bounds: ActionBounds,
        generators: Sequence[torch.Generator],
        deadline: Deadline | None = None,
    ) -> None:
        check_plan_arguments(warm_start, generators)
        self._cost_fn, self._bounds, self._deadline = cost_fn, bounds, deadline
        self._history: list[Tensor] = []
        self._tried = False
        self.best = bounds.clip(warm_start)
        self.cost = torch.full_like(self.best[:, 0, 0], torch.inf)

    @property
    def is_late(self) -> bool:
        """Whether the deadline, if there is one, has passed."""
        return self._deadline is not None and self._deadline.passed()

    def rounds(self, count: int) -> Iterator[int]:
        """0, 1, ... ``count`` - 1, as long as there is time; notes the best cost after each."""
        for number in range(count):
            if self.is_late:
                return
            yield number
            self._history.append(self.cost)

    def try_all(self, candidates: Tensor) -> Tensor:
        """Costs (E, N) of ``candidates`` (E, N, H, U); the cheapest becomes the best if it is."""
        costs = self._cost_fn(candidates)
        self.note(candidates, costs)
        return costs

    def note(self, candidates: Tensor, costs: Tensor) -> None:
        """The same for costs (E, N) that are known already."""
        best, self.cost = keep_best(candidates, costs, self.best, self.cost)
        self.best = self._bounds.clip(best)  # an average of plans on a bound can round past it
        self._tried = True

    def plan(self) -> Plan:
        """The best plan; the warm start, with its cost, if time was up before anything else."""
        if not self._tried:
            self.try_all(self.best[:, None])
        return Plan(self.best, self.cost, torch.stack(self._history or [self.cost]))
