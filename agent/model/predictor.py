"""Next embedding from recent embeddings and actions: a residual MLP.

The action-conditioned half of a JEPA world model (Maes et al. 2026, arXiv:2603.19312, Sec. 3).
Velocity is not in a single embedding; the predictor reads it off the last few.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class PredictorConfig:
    """Sizes of the predictor: ``context`` L embeddings and as many action blocks go in."""

    context: int = 3
    width: int = 384
    blocks: int = 2

    def __post_init__(self) -> None:
        if min(self.context, self.width) < 1 or self.blocks < 0:
            raise ValueError(
                "expected context >= 1, width >= 1 and blocks >= 0, got "
                f"{self.context}, {self.width} and {self.blocks}"
            )


class ResidualPredictor(nn.Module):
    """z_{t+1} = z_t + f(z_{t-L+1..t}, u_{t-L+1..t}); f starts at zero."""

    def __init__(self, config: PredictorConfig, latent_dim: int, action_width: int) -> None:
        super().__init__()
        self.config = config
        self.read = nn.Linear(config.context * (latent_dim + action_width), config.width)
        self.blocks = nn.ModuleList(_block(config.width) for _ in range(config.blocks))
        self.write = nn.Sequential(nn.LayerNorm(config.width), nn.Linear(config.width, latent_dim))
        head = self.write[1]
        assert isinstance(head, nn.Linear)
        nn.init.zeros_(head.weight)
        nn.init.zeros_(head.bias)

    def forward(self, embeddings: Tensor, actions: Tensor) -> Tensor:
        """Next embedding (..., D) from ``embeddings`` (..., L, D), ``actions`` (..., L, K*A)."""
        features = torch.cat([embeddings.flatten(-2), actions.flatten(-2)], -1)
        hidden = self.read(features)
        for block in self.blocks:
            hidden = hidden + block(hidden)
        step: Tensor = self.write(hidden)
        return embeddings[..., -1, :] + step


def _block(width: int) -> nn.Module:
    return nn.Sequential(
        nn.LayerNorm(width), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width)
    )
