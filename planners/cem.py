"""Cross-entropy method (Rubinstein 1999), with time-correlated noise as in iCEM.

A Gaussian over action sequences is moved towards its best samples, again and again. Noise along
time is first-order autoregressive (cf. Pinneri et al. 2020, arXiv:2008.06389, Sec. 3.1: coloured
noise reaches further than white noise, whose effect on a heavy arm averages out).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from planners.base import ActionBounds, CostFn, Plan, check_plan_arguments
from planners.sampling import autoregressive, draw_normal, keep_best, noise_times


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
    ) -> Plan:
        """See :class:`planners.base.Planner`. The plan never costs more than the warm start.

        Raises:
            ValueError: if ``action_dim`` does not divide the width U of a planner step.
        """
        _, steps, width = check_plan_arguments(warm_start, generators)
        times = noise_times(steps, width, self.config.action_dim)
        mean = bounds.clip(warm_start)
        std = torch.full_like(mean, self.config.initial_std)
        best, best_cost = mean, torch.full((len(mean),), torch.inf, dtype=mean.dtype)
        history = []
        for iteration in range(self.config.iterations):
            noise = self._noise(mean, times, self._correlation(iteration), generators)
            candidates = _candidates(mean, std, noise, best, bounds)
            costs = cost_fn(candidates)  # (E, N)
            best, best_cost = keep_best(candidates, costs, best, best_cost)
            mean, std = self._refit(candidates, costs)
            history.append(best_cost)
        return Plan(best, best_cost, torch.stack(history))

    def _correlation(self, iteration: int) -> float:
        last = max(1, self.config.iterations - 1)
        return self.config.correlation * (1 - iteration / last)

    def _noise(
        self, mean: Tensor, times: int, keep: float, generators: Sequence[torch.Generator]
    ) -> Tensor:
        """Unit-variance noise (E, N, H, U), autoregressive along time."""
        shape = (self.config.samples, times, self.config.action_dim)
        noise = autoregressive(draw_normal(generators, shape, like=mean), keep)
        return noise.reshape(len(mean), self.config.samples, *mean.shape[1:])

    def _refit(self, candidates: Tensor, costs: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation (E, H, U) of the elites."""
        chosen = costs.topk(self.config.elites, dim=1, largest=False).indices  # (E, elites)
        rows = torch.arange(len(candidates), device=candidates.device)[:, None]
        elites = candidates[rows, chosen]  # (E, elites, H, U)
        return elites.mean(1), elites.std(1).clamp_min(self.config.min_std)


def _candidates(
    mean: Tensor, std: Tensor, noise: Tensor, best: Tensor, bounds: ActionBounds
) -> Tensor:
    """Samples (E, N, H, U); the first is the mean, the second the best plan so far."""
    candidates = bounds.clip(mean[:, None] + std[:, None] * noise)
    candidates[:, 0], candidates[:, 1] = mean, best
    return candidates
