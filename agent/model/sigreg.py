"""SIGReg, sketched isotropic Gaussian regularisation.

(Balestriero & LeCun 2025, arXiv:2511.08544, Sec. 4.) The batch is projected on random unit
directions; along each, the Epps-Pulley statistic

    N · ∫ |φ̂(t) − exp(−t²/2)|² exp(−t²/2) dt

compares the empirical characteristic function φ̂ with the standard normal's. The integral is
the trapezoid rule on knots over [0, 3], doubled for symmetry.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

GAUSSIAN = 1.0525  # expectation for independent standard normal samples, however many


class SIGReg(nn.Module):
    """Mean Epps-Pulley statistic over random directions.

    Standard normal samples give 1.0525 in expectation at any batch size N; a batch collapsed on
    the origin gives 0.40205·N (both for the default 17 knots on [0, 3]).

    Args:
        directions: M, redrawn at every call.
        knots: points of the quadrature.
        upper: right end of the integration interval.
        ranks: how many parts of as many samples the batch is in; ``mean`` gives the mean over them
            of what is computed of one, with its gradient.
    """

    knots: Tensor
    weights: Tensor
    target: Tensor

    def __init__(
        self,
        directions: int = 64,
        knots: int = 17,
        upper: float = 3.0,
        ranks: int = 1,
        mean: Callable[[Tensor], Tensor] = lambda part: part,
    ) -> None:
        super().__init__()
        if directions < 1 or knots < 2:
            raise ValueError(
                f"expected directions >= 1 and knots >= 2, got {directions} and {knots}"
            )
        self.directions, self.ranks, self.mean = directions, ranks, mean
        points = torch.linspace(0.0, upper, knots)
        target = torch.exp(-(points**2) / 2)
        trapezoid = torch.full((knots,), 2.0 * upper / (knots - 1))
        trapezoid[[0, -1]] /= 2
        self.register_buffer("knots", points, persistent=False)
        self.register_buffer("target", target, persistent=False)
        self.register_buffer("weights", trapezoid * target, persistent=False)

    def forward(self, embeddings: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Statistic of ``embeddings`` (N, D), a scalar; directions come from ``generator``.

        Raises:
            ValueError: if the input is not two-dimensional.
        """
        if embeddings.ndim != 2:
            raise ValueError(f"expected embeddings (N, D), got shape {tuple(embeddings.shape)}")
        samples, dim = embeddings.shape
        sketch = torch.randn(dim, self.directions, generator=generator, dtype=embeddings.dtype)
        sketch = (sketch / sketch.norm(dim=0)).to(embeddings.device)
        angles = (embeddings @ sketch)[..., None] * self.knots  # (N, M, knots)
        part = torch.stack([angles.cos().mean(0), angles.sin().mean(0)])
        real, imaginary = self.mean(part)  # of the characteristic function of the whole batch
        error = (real - self.target) ** 2 + imaginary**2
        statistic: Tensor = self.ranks * samples * (error @ self.weights).mean()
        return statistic
