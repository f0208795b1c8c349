"""Gradient descent on plans from several starts that a short cross-entropy search found.

First-order search is precise and cheap in many dimensions but ends in the valley it began in;
sampling sees many valleys and is precise in none. (Bharadhwaj et al. 2020, arXiv:2004.08763,
Sec. 3; Huang et al. 2021, "CEM-GD", arXiv:2112.07746, Sec. 4: the best samples are descended from
side by side.) Each start has its own Adam (Kingma & Ba 2015, arXiv:1412.6980, Alg. 1), projected on
the box after every step, its rate falling to nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from planners.base import ActionBounds, CostFn, Deadline, DifferentiableCost, Plan
from planners.cem import CEMConfig, CEMPlanner
from planners.search import Search

_FADE_MEAN, _FADE_SQUARE = 0.9, 0.999  # as Kingma & Ba recommend
_TINY = 1e-8


@dataclass(frozen=True)
class GradientConfig:
    """Settings of the gradient planner.

    ``sampling`` the search before; the cheapest ``starts`` of its last elites are descended from
    for ``steps`` gradients; ``rate`` of the first step in units of the action, falling linearly.
    """

    sampling: CEMConfig = field(
        default_factory=lambda: CEMConfig(samples=64, iterations=1, elites=8)
    )
    starts: int = 4
    steps: int = 5
    rate: float = 0.15

    def __post_init__(self) -> None:
        if not 1 <= self.starts <= self.sampling.elites:
            raise ValueError(
                f"expected 1 <= starts <= elites of the sampling, got starts={self.starts}, "
                f"elites={self.sampling.elites}"
            )
        if self.steps < 1 or not self.rate > 0:
            raise ValueError(
                f"expected steps >= 1 and rate > 0, got steps={self.steps}, rate={self.rate}"
            )


class GradientPlanner:
    """First-order refinement over a batch of episodes; needs a :class:`DifferentiableCost`."""

    def __init__(self, config: GradientConfig | None = None) -> None:
        self.config = config or GradientConfig()
        self._sampling = CEMPlanner(self.config.sampling)

    def plan(
        self,
        cost_fn: CostFn,
        warm_start: Tensor,
        bounds: ActionBounds,
        generators: Sequence[torch.Generator],
        deadline: Deadline | None = None,
    ) -> Plan:
        """See :class:`planners.base.Planner`.

        Raises:
            ValueError: also if ``cost_fn`` has no gradient, or the sampling's ``action_dim`` does
                not divide the width U of a planner step.
        """
        search = Search(cost_fn, warm_start, bounds, generators, deadline)
        if not isinstance(cost_fn, DifferentiableCost):
            raise ValueError(
                "expected a cost with gradient() (DifferentiableCost), got a plain function; "
                "use CEMPlanner for costs without a slope"
            )
        elites = self._sampling.sample(search, bounds, generators)
        self._descend(search, cost_fn, elites[:, : self.config.starts], bounds)
        return search.plan()

    def _descend(
        self, search: Search, cost_fn: DifferentiableCost, points: Tensor, bounds: ActionBounds
    ) -> None:
        """Adam from every start (E, starts, H, U), as long as there is time."""
        adam = _Adam(points)
        for number in search.rounds(self.config.steps):
            costs, slopes = cost_fn.gradient(points)
            search.note(points, costs)
            rate = self.config.rate * (1 - number / self.config.steps)
            points = bounds.clip(points - rate * adam.direction(slopes))
        for _ in search.rounds(1):
            search.try_all(points)


class _Adam:
    """Running moments of the slope at each of a batch of points."""

    def __init__(self, points: Tensor) -> None:
        self._mean, self._square = torch.zeros_like(points), torch.zeros_like(points)
        self._seen = 0

    def direction(self, slopes: Tensor) -> Tensor:
        """Where to step back from, of order one; a slope that is not a number moves nothing."""
        slopes = slopes.nan_to_num(nan=0.0, posinf=0.0, neginf=0.0)
        self._seen += 1
        self._mean = torch.lerp(slopes, self._mean, _FADE_MEAN)
        self._square = torch.lerp(slopes.square(), self._square, _FADE_SQUARE)
        mean = self._mean / (1 - _FADE_MEAN**self._seen)
        square = self._square / (1 - _FADE_SQUARE**self._seen)
        return mean / (square.sqrt() + _TINY)
