"""A goal-conditioned action head on the embedding: from what is and what should be to actions.

One pass gives the actions that a search would look for. It reads the same context as the
predictor, so it knows the velocity. (Action heads on latent world models are usual where a
search takes too long; ours learns in the model's imagination, see :mod:`agent.training.head`.)
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

_MOVES = 8.0  # embeddings move by about 1/8 of their spread in a model step


@dataclass(frozen=True)
class HeadConfig:
    """Sizes of the head: ``blocks`` hidden layers of ``width``; ``width`` 0 is no head at all."""

    width: int = 256
    blocks: int = 2

    def __post_init__(self) -> None:
        if self.width < 0 or self.blocks < 0:
            raise ValueError(f"expected width and blocks >= 0, got {self.width} and {self.blocks}")


class GoalHead(nn.Module):
    """The next block of actions for a goal, inside [-1, 1]."""

    def __init__(
        self, config: HeadConfig, context: int, latent_dim: int, action_width: int
    ) -> None:
        super().__init__()
        self.config = config
        inputs = (context + 2) * latent_dim + (context - 1) * action_width
        self.read = nn.Linear(inputs, config.width)
        self.blocks = nn.ModuleList(_block(config.width) for _ in range(config.blocks))
        self.write = nn.Sequential(
            nn.LayerNorm(config.width), nn.Linear(config.width, action_width), nn.Tanh()
        )

    def forward(self, embeddings: Tensor, past: Tensor, goals: Tensor) -> Tensor:
        """Action blocks (..., K*A).

        Args:
            embeddings: (..., L, D), a model step apart, the last one now.
            past: (..., L-1, K*A), action blocks between them.
            goals: (..., D).
        """
        now = embeddings[..., -1, :]
        moves = (embeddings[..., 1:, :] - embeddings[..., :-1, :]).flatten(-2)
        features = [now, goals, goals - now, _MOVES * moves, past.flatten(-2)]
        hidden = self.read(torch.cat(features, -1))
        for block in self.blocks:
            hidden = hidden + block(hidden)
        actions: Tensor = self.write(hidden)
        return actions


def _block(width: int) -> nn.Module:
    return nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.SiLU())
