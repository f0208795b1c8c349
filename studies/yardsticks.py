"""What SIGReg says of the best embedding that a world allows, so that a figure has a yardstick.

SIGReg of N samples is N·∫|φ̂ − g|² on average over directions, and E|φ̂ − g|² = |φ − g|² +
(1 − |φ|²)/N: it grows with N by as much as the law φ differs from the Gaussian g. Both parts are
found from one large sample, and any N is told from them.
"""

from __future__ import annotations

import torch
from torch import Tensor

from agent.model.sigreg import SIGReg

DIRECTIONS = 128
DIRECTIONS_AT_ONCE = 16


@torch.no_grad()
def expected_statistic(embeddings: Tensor, samples: int, generator: torch.Generator) -> float:
    """SIGReg's expectation for ``samples`` draws from the law of ``embeddings`` (P, D), P large.

    Raises:
        ValueError: for an array of another shape, fewer than two rows, what is not finite, or no
            sample.
    """
    if embeddings.ndim != 2 or len(embeddings) < 2 or not embeddings.isfinite().all():
        raise ValueError(f"expected finite (P, D), P > 1, got {tuple(embeddings.shape)}")
    if samples < 1:
        raise ValueError(f"expected one sample or more, got {samples}")
    regulariser = SIGReg()
    sketch = torch.randn(embeddings.shape[1], DIRECTIONS, generator=generator)
    sketch = sketch / sketch.norm(dim=0)
    parts = [
        _along(embeddings @ some, samples, regulariser)
        for some in sketch.split(DIRECTIONS_AT_ONCE, dim=1)
    ]
    return float(torch.cat(parts).mean())


def _along(projected: Tensor, samples: int, regulariser: SIGReg) -> Tensor:
    """The statistic (M,) of each column of ``projected`` (P, M)."""
    count = len(projected)
    angles = projected[..., None] * regulariser.knots
    real, imaginary = angles.cos().mean(0), angles.sin().mean(0)
    spread = (1 - real**2 - imaginary**2) * count / (count - 1)  # 1 − |φ|², without bias
    apart = (real - regulariser.target) ** 2 + imaginary**2 - spread / count  # |φ − g|²
    statistic: Tensor = (samples * apart + spread) @ regulariser.weights
    return statistic
