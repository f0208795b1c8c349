"""Cross-entropy method (Rubinstein 1999), with time-correlated noise as in iCEM.

A Gaussian over action sequences is moved towards its best samples, again and again. Noise along
time is first-order autoregressive (cf. Pinneri et al. 2020, arXiv:2008.06389, Sec. 3.1: coloured
noise reaches further than white noise, whose effect on a heavy body averages out).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planners.base import ActionBounds, Array, Noise
from planners.sampling import as_plans, autoregressive, cheapest, plan_noise
from planners.search import Search, SearchPlanner


@dataclass(frozen=True)
class CEMPlanner(SearchPlanner):
    """Cross-entropy method over a batch of episodes.

    ``samples`` N per iteration, of which the best ``elites`` set the next Gaussian;
    ``initial_std`` and ``min_std`` in units of the action; ``correlation`` in [0, 1) of the
    first iteration's noise between neighbouring ticks, falling to 0 at the last (near a bound
    correlated noise is biased: what is clipped drags its neighbours along).
    """

    samples: int = 256
    iterations: int = 4
    elites: int = 26
    initial_std: float = 0.7
    min_std: float = 0.02
    correlation: float = 0.6

    def __post_init__(self) -> None:
        if not 1 < self.elites <= self.samples:
            raise ValueError(
                f"expected 1 < elites <= samples, got elites={self.elites}, samples={self.samples}"
            )
        if self.iterations < 1:
            raise ValueError(f"expected iterations >= 1, got {self.iterations}")
        if not 0.0 <= self.correlation < 1.0:
            raise ValueError(f"expected correlation in [0, 1), got {self.correlation}")

    def improve(self, search: Search, bounds: ActionBounds, noise: Noise) -> None:
        """See :class:`planners.search.SearchPlanner`."""
        self.sample(search, bounds, noise)

    def sample(self, search: Search, bounds: ActionBounds, noise: Noise) -> Array:
        """The search itself, for planners that begin with one.

        Returns the last elites (E, elites, H, K, A), cheapest first; the best plan alone,
        (E, 1, H, K, A), if there was no time for any.
        """
        mean = search.best
        std, elites = np.full_like(mean, self.initial_std), mean[:, None]
        for number in search.rounds(self.iterations):
            candidates = bounds.clip(
                mean[:, None] + std[:, None] * self._noise(mean, number, noise)
            )
            candidates[:, 0], candidates[:, 1] = mean, search.best
            elites = cheapest(candidates, search.try_all(candidates), self.elites)
            mean, std = elites.mean(1), elites.std(1, ddof=1).clip(self.min_std)
        return elites

    def _noise(self, mean: Array, number: int, noise: Noise) -> Array:
        """Unit-variance noise (E, N, H, K, A) of this iteration, autoregressive along time."""
        last = max(1, self.iterations - 1)
        keep = self.correlation * (1 - number / last)
        return as_plans(autoregressive(plan_noise(noise, self.samples, mean), keep), mean)
