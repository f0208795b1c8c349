"""Model-predictive path integral control (Williams et al. 2017, arXiv:1707.02342, Sec. III).

Samples around a mean are averaged with weights that fall off exponentially with their cost. The
temperature is relative to the spread of the costs at hand, so one setting fits near and far.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from planners.base import ActionBounds, CostFn, Deadline, Plan
from planners.sampling import autoregressive, plan_noise
from planners.search import Search


@dataclass(frozen=True)
class MPPIConfig:
    """Settings of MPPI.

    ``samples`` N per iteration; ``std`` of the noise in units of the action at the first
    iteration, times ``shrink`` at each further one; ``temperature`` relative to the standard
    deviation of the costs; ``correlation`` of the noise between neighbouring actions in time;
    ``action_dim`` A, numbers that act at one time.
    """

    samples: int = 256
    iterations: int = 4
    std: float = 0.7
    shrink: float = 0.6
    temperature: float = 0.1
    correlation: float = 0.6
    action_dim: int = 2

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


class MPPIPlanner:
    """Path-integral averaging over a batch of episodes."""

    def __init__(self, config: MPPIConfig | None = None) -> None:
        self.config = config or MPPIConfig()

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
        colour = partial(autoregressive, keep=self.config.correlation)
        samples, action_dim = self.config.samples, self.config.action_dim
        mean = search.best
        for number in search.rounds(self.config.iterations):
            noise = plan_noise(generators, samples, mean, action_dim, colour)
            std = self.config.std * self.config.shrink**number
            candidates = bounds.clip(mean[:, None] + std * noise)
            candidates[:, 0], candidates[:, 1] = mean, search.best
            mean = self._average(candidates, search.try_all(candidates))
        return search.plan()

    def _average(self, candidates: Tensor, costs: Tensor) -> Tensor:
        """The cost-weighted mean (E, H, U) of the samples."""
        spread = costs.std(1, keepdim=True).clamp_min(1e-12)
        weights = torch.softmax(-costs / (self.config.temperature * spread), dim=1)
        return (weights[:, :, None, None] * candidates).sum(1)
