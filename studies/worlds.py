"""Worlds with known latents: how they move, and how they are mixed into observations.

Latents are independent coordinates of mean 0 and variance 1, and a pair is one step of
z' = ρz + √(1−ρ²)·η (Klindt, LeCun & Balestriero 2026, arXiv:2605.26379). For Gaussian z and η this
is the stationary Ornstein-Uhlenbeck world of the theorems; other laws are the generalised normal
family with density ∝ exp(−|z/s|^α), drawn for z and η alike as the paper's ablation does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from agent.errors import UserError
from studies.couplings import PlanarCoupling

Mixing = Callable[[Tensor], Tensor]
GAUSSIAN_SHAPE = 2.0


def sample_latents(
    count: int, dimensions: int, generator: torch.Generator, shape: float = GAUSSIAN_SHAPE
) -> Tensor:
    """Independent unit-variance generalised normal numbers (count, dimensions).

    ``shape`` is α: 1 is Laplace's law, 2 the Gaussian, large ones approach the uniform. If u is
    Gamma(1/α) then ±u^(1/α) has density ∝ exp(−|z|^α) (Nadarajah 2005).

    Raises:
        UserError: unless ``shape`` is positive.
    """
    if not shape > 0:
        raise UserError(f"expected a shape above 0, got {shape}")
    size = (count, dimensions)
    if shape == GAUSSIAN_SHAPE:
        return torch.randn(size, generator=generator)
    scale = math.exp((math.lgamma(1 / shape) - math.lgamma(3 / shape)) / 2)
    concentration = torch.full(size, 1 / shape, dtype=torch.float64)
    magnitude = torch._standard_gamma(concentration, generator=generator) ** (1 / shape)
    sign = 2 * torch.randint(0, 2, size, generator=generator) - 1
    return (scale * sign * magnitude).float()


def step(
    latents: Tensor,
    rho: float | Tensor,
    generator: torch.Generator,
    shape: float = GAUSSIAN_SHAPE,
) -> Tensor:
    """z' = ρz + √(1−ρ²)·η; ``rho`` may differ from coordinate to coordinate."""
    rates = torch.as_tensor(rho, dtype=latents.dtype)
    count, dimensions = latents.shape
    noise = sample_latents(count, dimensions, generator, shape)
    return rates * latents + (1 - rates**2).sqrt() * noise


def spiral(latents: Tensor) -> Tensor:
    """Each point turned about the origin by as many radians as its distance from it."""
    angle = latents.norm(dim=1)
    cosine, sine, (first, second) = angle.cos(), angle.sin(), latents.unbind(1)
    return torch.stack([cosine * first - sine * second, sine * first + cosine * second], 1)


def banana(latents: Tensor) -> Tensor:
    """The second coordinate pushed along a parabola in the first."""
    first, second = latents.unbind(1)
    return torch.stack([first, second + 0.5 * (first**2 - 1)], 1)


def shear(latents: Tensor) -> Tensor:
    """Each coordinate pushed along a sine wave in the other, one after the other."""
    first, second = latents.unbind(1)
    pushed = first + 0.7 * torch.sin(2 * second)
    return torch.stack([pushed, second + 0.7 * torch.sin(2 * pushed)], 1)


def linear(latents: Tensor) -> Tensor:
    """A fixed matrix that is neither orthogonal nor symmetric: the world of linear ICA."""
    return latents @ torch.tensor([[1.0, 0.6], [-0.4, 0.8]])


MIXINGS: Mapping[str, Mixing] = {
    "spiral": spiral,
    "banana": banana,
    "shear": shear,
    "coupling": PlanarCoupling(seed=7),
}
