"""Model-predictive path integral control (Williams et al. 2017, arXiv:1707.02342, Sec. III).

Samples around a mean are averaged with weights that fall off exponentially with their cost. The
temperature is relative to the spread of the costs at hand, so one setting fits near and far; the
spread is that of the better half of those that are finite, which no few absurd ones can stretch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planners.base import ActionBounds, Array, Noise
from planners.sampling import as_plans, autoregressive, plan_noise
from planners.search import Search, SearchPlanner

_WHOLE = 1.66  # times the spread of a normal's better half is that of the whole


@dataclass(frozen=True)
class MPPIPlanner(SearchPlanner):
    """Path-integral averaging over a batch of episodes.

    ``samples`` N per iteration; ``std`` of the noise in units of the action at the first
    iteration, times ``shrink`` at each further one; ``temperature`` relative to the spread of the
    costs; ``correlation`` of the noise between neighbouring ticks.
    """

    samples: int = 256
    iterations: int = 4
    std: float = 0.7
    shrink: float = 0.6
    temperature: float = 0.1
    correlation: float = 0.6

    def __post_init__(self) -> None:
        if self.samples < 2 or self.iterations < 1:
            raise ValueError(
                f"expected samples >= 2 and iterations >= 1, got {self.samples}, {self.iterations}"
            )
        if self.temperature <= 0 or self.std <= 0:
            raise ValueError(
                f"expected temperature and std above 0, got {self.temperature} and {self.std}"
            )
        if not 0.0 <= self.correlation < 1.0:
            raise ValueError(f"expected correlation in [0, 1), got {self.correlation}")

    def improve(self, search: Search, bounds: ActionBounds, noise: Noise) -> None:
        """See :class:`planners.search.SearchPlanner`."""
        mean = search.best
        for number in search.rounds(self.iterations):
            white = plan_noise(noise, self.samples, mean)
            shaken = as_plans(autoregressive(white, self.correlation), mean)
            std = self.std * self.shrink**number
            candidates = bounds.clip(mean[:, None] + std * shaken)
            candidates[:, 0], candidates[:, 1] = mean, search.best
            mean = self._average(candidates, search.try_all(candidates))

    def _average(self, candidates: Array, costs: Array) -> Array:
        """The cost-weighted mean (E, H, K, A) of the samples; what is not finite weighs nothing.

        Where nothing is finite the first candidate, the mean before, stays.
        """
        least = costs.min(1, keepdims=True)
        none_finite = np.isinf(least[:, 0])
        above = costs.astype(np.float64) - np.where(none_finite[:, None], 0.0, least)
        spread = _spread(above).clip(1e-12)
        weights = np.exp(-above / (self.temperature * _WHOLE * spread))
        weights[:, 0] += none_finite
        weights = (weights / weights.sum(1, keepdims=True)).astype(candidates.dtype)
        mean: Array = (weights[:, :, None, None, None] * candidates).sum(1)
        return mean


def _spread(costs: Array) -> Array:
    """Standard deviation (E, 1) of the better half of the finite ``costs`` (E, N); 0 of one."""
    count = np.isfinite(costs).sum(1, keepdims=True)
    is_better = np.arange(costs.shape[1]) < np.minimum(np.maximum(count // 2, 2), count)
    half = np.where(is_better, np.sort(costs, 1), 0.0)
    share = is_better / is_better.sum(1, keepdims=True).clip(1)
    mean = (share * half).sum(1, keepdims=True)
    spread: Array = np.sqrt((share * np.square(half - mean)).sum(1, keepdims=True))
    return spread
