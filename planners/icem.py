"""iCEM, the cross-entropy method made sample-efficient (Pinneri et al. 2020, arXiv:2008.06389).

Three of its changes to CEM: noise with a power spectrum 1/f^β (Sec. 3.1), elites that stay in the
next iteration's pool (Sec. 3.2), and fewer samples at each iteration (Sec. 3.4). Its shift of
elites to the next control step is left to the caller's warm start: planners keep no state.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planners.base import ActionBounds, Array, Noise
from planners.sampling import as_plans, cheapest, coloured, plan_noise
from planners.search import Search, SearchPlanner


@dataclass(frozen=True)
class ICEMPlanner(SearchPlanner):
    """iCEM over a batch of episodes.

    ``samples`` N of the first iteration, divided by ``decay`` at each further one but never
    fewer than twice the ``elites``; ``kept`` of those enter the next pool; ``momentum`` of mean
    and standard deviation; ``exponent`` β of the noise.
    """

    samples: int = 256
    iterations: int = 4
    elites: int = 20
    kept: int = 6
    decay: float = 1.25
    initial_std: float = 0.7
    min_std: float = 0.02
    momentum: float = 0.1
    exponent: float = 2.0

    def __post_init__(self) -> None:
        if not 1 < self.elites <= self.samples or not 0 <= self.kept <= self.elites:
            raise ValueError(
                "expected kept <= elites <= samples and elites > 1, got "
                f"kept={self.kept}, elites={self.elites}, samples={self.samples}"
            )
        if self.iterations < 1 or self.decay < 1:
            raise ValueError(
                f"expected iterations and decay >= 1, got {self.iterations} and {self.decay}"
            )
        if not 0.0 <= self.momentum < 1.0:
            raise ValueError(f"expected momentum in [0, 1), got {self.momentum}")

    def improve(self, search: Search, bounds: ActionBounds, noise: Noise) -> None:
        """See :class:`planners.search.SearchPlanner`."""
        mean, stay = search.best, self.momentum
        std, kept = np.full_like(mean, self.initial_std), mean[:, None]
        for number in search.rounds(self.iterations):
            fresh = bounds.clip(mean[:, None] + std[:, None] * self._noise(mean, number, noise))
            pool = np.concatenate([mean[:, None], search.best[:, None], kept, fresh], 1)
            elites = cheapest(pool, search.try_all(pool), self.elites)
            mean = stay * mean + (1 - stay) * elites.mean(1)
            std = stay * std + (1 - stay) * elites.std(1, ddof=1)
            std, kept = std.clip(self.min_std), elites[:, : self.kept]

    def _noise(self, mean: Array, number: int, noise: Noise) -> Array:
        """Coloured noise (E, N, H, K, A) of this iteration's number of samples."""
        samples = int(self.samples / self.decay**number)
        samples = max(samples, 2 * self.elites)
        return as_plans(coloured(plan_noise(noise, samples, mean), self.exponent), mean)
