"""Worlds that break one condition of the theorem each, by an amount that is 0 for none.

The theorem (Klindt, LeCun & Balestriero 2026, arXiv:2605.26379, Theorem 1) asks for latents that
are stationary, noise that is additive, and one rate for all coordinates. Latents keep variance 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from studies.learning import Sampler
from studies.worlds import step

RHO = 0.95
BURN_IN_STEPS = 100  # of a chain that starts Gaussian; it forgets in 1/(1 − ρ) = 20
STEPS_APART = 20  # between two batches of one chain


def drifting_mean(amount: float) -> Sampler:
    """The first latent's mean moves by ``amount``·√12 over the recording, linearly.

    A pair's time is uniform, so ``amount`` is the standard deviation that the drift adds.
    """

    def sample(count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        latents = torch.randn((count, 2), generator=generator)
        partners = step(latents, RHO, generator)
        time = torch.rand(count, generator=generator)
        drift = torch.stack([amount * math.sqrt(12) * (time - 0.5), torch.zeros(count)], 1)
        scale = torch.tensor([math.sqrt(1 + amount**2), 1.0])
        return (latents + drift) / scale, (partners + drift) / scale

    return sample


def drifting_variance(amount: float) -> Sampler:
    """Both latents' spread grows from exp(−amount) to exp(amount) over the recording."""

    def sample(count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        latents = torch.randn((count, 2), generator=generator)
        partners = step(latents, RHO, generator)
        time = torch.rand((count, 1), generator=generator)
        power = math.sinh(2 * amount) / (2 * amount) if amount else 1.0  # E exp(2·amount·(2t − 1))
        scale = (amount * (2 * time - 1)).exp() / math.sqrt(power)
        return scale * latents, scale * partners

    return sample


def multiplicative_noise(amount: float) -> Sampler:
    """Noise of variance (1 − ρ²)((1 − amount) + amount·z²), ``amount`` in [0, 1].

    Pairs come from a chain of its own stationary law, which is heavy-tailed for amount > 0.
    """
    chain: dict[int, Tensor] = {}

    def forward(latents: Tensor, generator: torch.Generator) -> Tensor:
        spread = ((1 - RHO**2) * (1 - amount + amount * latents**2)).sqrt()
        return RHO * latents + spread * torch.randn(latents.shape, generator=generator)

    def sample(count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        steps = STEPS_APART if count in chain else BURN_IN_STEPS
        latents = chain.get(count, torch.randn((count, 2), generator=generator))
        for _ in range(steps):
            latents = forward(latents, generator)
        chain[count] = latents
        return latents, forward(latents, generator)

    return sample


def unequal_rates(ratio: float) -> Sampler:
    """The second latent forgets ``ratio`` times as fast: ρ₂ = ρ^ratio.

    Past a ratio of 2 the square of the slow latent, which decays as ρ², outlasts the fast one.
    """
    rates = torch.tensor([RHO, RHO**ratio])

    def sample(count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        latents = torch.randn((count, 2), generator=generator)
        return latents, step(latents, rates, generator)

    return sample


BROKEN: dict[str, Callable[[float], Sampler]] = {
    "mean": drifting_mean,
    "variance": drifting_variance,
    "noise": multiplicative_noise,
    "rates": unequal_rates,
}
