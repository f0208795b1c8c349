"""Cross-entropy method (Rubinstein 1999), with time-correlated noise as in iCEM.

A Gaussian over action sequences is moved towards its best samples, again and again. Noise along
time is first-order autoregressive (cf. Pinneri et al. 2020, arXiv:2008.06389, Sec. 3.1: coloured
noise reaches further than white noise, whose effect on a heavy arm averages out).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from planners.base import ActionBounds, CostFn, Deadline, Plan
from planners.sampling import autoregressive, cheapest, plan_noise
from planners.search import Search


@dataclass(frozen=True)
class CEMConfig:
    """Settings of the cross-entropy method.

    ``samples`` N per iteration, of which the best ``elites`` set the next Gaussian;
    ``initial_std`` and ``min_std`` in units of the action; ``correlation`` in [0, 1) of the
    first iteration's noise between neighbouring actions in time, falling to 0 at the last (near
    a bound correlated noise is biased: what is clipped drags its neighbours along);
    ``action_dim`` A, numbers that act at one time (a planner step holds U / A of them in a row).
    """

    samples: int = 256
    iterations: int = 4
    elites: int = 26
    initial_std: float = 0.7
    min_std: float = 0.02
    correlation: float = 0.6
    action_dim: int = 2

    def __post_init__(self) -> None:
        if not 1 < self.elites <= self.samples:
            raise ValueError(
                f"expected 1 < elites <= samples, got elites={self.elites}, samples={self.samples}"
            )
        if self.iterations < 1:
            raise ValueError(f"expected iterations >= 1, got {self.iterations}")
        if not 0.0 <= self.correlation < 1.0:
            raise ValueError(f"expected correlation in [0, 1), got {self.correlation}")


class CEMPlanner:
    """Cross-entropy method over a batch of episodes."""

    def __init__(self, config: CEMConfig | None = None) -> None:
        self.config = config or CEMConfig()

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
            ValueError: also if ``action_dim`` does not divide the width U of a planner step.
        """
        search = Search(cost_fn, warm_start, bounds, generators, deadline)
        self.sample(search, bounds, generators)
        return search.plan()

    def sample(
        self, search: Search, bounds: ActionBounds, generators: Sequence[torch.Generator]
    ) -> Tensor:
        """The search itself, for planners that begin with one.

        Returns the last elites (E, elites, H, U), cheapest first; the best plan alone,
        (E, 1, H, U), if there was no time for any.
        """
        mean = search.best
        std, elites = torch.full_like(mean, self.config.initial_std), mean[:, None]
        for number in search.rounds(self.config.iterations):
            noise = self._noise(mean, number, generators)
            candidates = bounds.clip(mean[:, None] + std[:, None] * noise)
            candidates[:, 0], candidates[:, 1] = mean, search.best
            elites = cheapest(candidates, search.try_all(candidates), self.config.elites)
            mean, std = elites.mean(1), elites.std(1).clamp_min(self.config.min_std)
        return elites

    def _noise(self, mean: Tensor, number: int, generators: Sequence[torch.Generator]) -> Tensor:
        """Unit-variance noise (E, N, H, U) of this iteration, autoregressive along time."""
        last = max(1, self.config.iterations - 1)
        keep = self.config.correlation * (1 - number / last)
        colour = partial(autoregressive, keep=keep)
        return plan_noise(generators, self.config.samples, mean, self.config.action_dim, colour)
