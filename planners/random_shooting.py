"""Random shooting: the best of many plans drawn blindly, the floor for every other planner.

(Nagabandi et al. 2018, arXiv:1708.02596, Sec. IV-D.) Every number is uniform in the box and
independent of all others. What is learned from one sample helps no other; the warm start takes
part, so that a plan found once is not lost.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planners.base import ActionBounds, Noise
from planners.search import Search, SearchPlanner


@dataclass(frozen=True)
class RandomShootingPlanner(SearchPlanner):
    """Random shooting over a batch of episodes.

    ``samples`` N drawn at a time, ``iterations`` times, with a look at the clock in between.
    """

    samples: int = 256
    iterations: int = 4

    def __post_init__(self) -> None:
        if self.samples < 1 or self.iterations < 1:
            raise ValueError(
                f"expected samples and iterations >= 1, got samples={self.samples}, "
                f"iterations={self.iterations}"
            )

    def improve(self, search: Search, bounds: ActionBounds, noise: Noise) -> None:
        """See :class:`planners.search.SearchPlanner`."""
        for _ in search.rounds(self.iterations):
            shares = noise.uniform((self.samples, *search.best.shape[1:]))
            drawn = bounds.clip(bounds.low + (bounds.high - bounds.low) * shares)
            search.try_all(np.concatenate([search.best[:, None], drawn], 1))
