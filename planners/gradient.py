"""Gradient descent on plans from several starts that a short cross-entropy search found.

First-order search is precise and cheap in many dimensions but ends in the valley it began in;
sampling sees many valleys and is precise in none. (Bharadhwaj et al. 2020, arXiv:2004.08763,
Sec. 3; Huang et al. 2021, "CEM-GD", arXiv:2112.07746, Sec. 4: the best samples are descended from
side by side.) Each start has its own Adam (Kingma & Ba 2015, arXiv:1412.6980, Alg. 1), projected on
the box after every step, its rate falling to nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planners.base import ActionBounds, Array, LeastSquaresCost, Noise
from planners.cem import CEMPlanner
from planners.search import Search, SearchPlanner

_FADE_MEAN, _FADE_SQUARE = 0.9, 0.999  # as Kingma & Ba recommend
_TINY = 1e-8
_SHORT_SEARCH = CEMPlanner(samples=64, iterations=1, elites=8)


@dataclass(frozen=True)
class GradientPlanner(SearchPlanner):
    """First-order refinement over a batch of episodes; needs a :class:`LeastSquaresCost`.

    ``sampling`` the search before; the cheapest ``starts`` of its last elites are descended from
    for ``steps`` gradients; ``rate`` of the first step in units of the action, falling linearly.
    """

    sampling: CEMPlanner = _SHORT_SEARCH
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

    def improve(self, search: Search, bounds: ActionBounds, noise: Noise) -> None:
        """See :class:`planners.search.SearchPlanner`."""
        cost = search.least_squares()
        elites = self.sampling.sample(search, bounds, noise)
        self._descend(search, cost, elites[:, : self.starts], bounds)

    def _descend(
        self, search: Search, cost_fn: LeastSquaresCost, points: Array, bounds: ActionBounds
    ) -> None:
        """Adam from every start (E, starts, H, K, A), as long as there is time."""
        adam = _Adam(points)
        for number in search.rounds(self.steps):
            search.try_all(points)
            rate = self.rate * (1 - number / self.steps)
            points = bounds.clip(points - rate * adam.direction(_slopes(cost_fn, points)))
        for _ in search.rounds(1):
            search.try_all(points)


def _slopes(cost_fn: LeastSquaresCost, points: Array) -> Array:
    """The gradient of a sum of squares at each point (E, S, H, K, A): twice slopes · residuals."""
    found = []
    for start in range(points.shape[1]):
        residuals, slopes = cost_fn.linearise(points[:, start])
        found.append(2.0 * (slopes @ residuals[..., None])[..., 0])
    return np.stack(found, 1).reshape(points.shape)


class _Adam:
    """Running moments of the slope at each of a batch of points."""

    def __init__(self, points: Array) -> None:
        self._mean, self._square = np.zeros_like(points), np.zeros_like(points)
        self._seen = 0

    def direction(self, slopes: Array) -> Array:
        """Where to step back from, of order one; a slope that is not a number moves nothing."""
        slopes = np.where(np.isfinite(slopes), slopes, 0.0)
        self._seen += 1
        self._mean = _FADE_MEAN * self._mean + (1 - _FADE_MEAN) * slopes
        self._square = _FADE_SQUARE * self._square + (1 - _FADE_SQUARE) * np.square(slopes)
        mean = self._mean / (1 - _FADE_MEAN**self._seen)
        square = self._square / (1 - _FADE_SQUARE**self._seen)
        return mean / (np.sqrt(square) + _TINY)
