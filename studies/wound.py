"""Two joints whose angles are Gaussian with a spread: from a small arc to all the way round.

Angles θ ~ N(0, spread²) move as Ornstein-Uhlenbeck, and what is seen of them is where they point.
With a small spread that is a Gaussian world; with a large one each joint is a diffusing circle. The
second joint is ``RATIO`` times as fast, between the 2 that a Gaussian world bears and the 4 of a
circle. The slow joint's first feature keeps about 1 − ``SLOW_RATE`` a step at every spread.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from agent.errors import UserError
from studies.couplings import fixed_mixing
from studies.products import MIXING_STRENGTH
from studies.worlds import step

SLOW_RATE, RATIO = 0.05, 2.5


@dataclass(frozen=True)
class Wound:
    """The world of a ``spread`` [rad]; latents are angles (samples, 2), not wrapped."""

    spread: float
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.spread < math.inf:
            raise UserError(f"expected a finite spread above 0, got {self.spread}")

    @property
    def rates(self) -> Tensor:
        """1 − correlation of each angle after a step (2,): a turn decorrelates by spread² more."""
        slow = SLOW_RATE / max(1.0, self.spread**2)
        return torch.tensor([slow, RATIO * slow])

    def sample(self, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Angles and those a step later, (count, 2) each."""
        unit = torch.randn((count, 2), generator=generator)
        return self.spread * unit, self.spread * step(unit, 1 - self.rates, generator)

    def mixing(self) -> Callable[[Tensor], Tensor]:
        """Angles (samples, 2) to observations (samples, 4)."""
        couplings = fixed_mixing(4, self.seed, MIXING_STRENGTH)
        width = math.sqrt((1 - math.exp(-2 * self.spread**2)) / 2)  # standard deviation of a sine
        return lambda angles: couplings(torch.cat([angles.cos(), angles.sin()], 1) / width)
