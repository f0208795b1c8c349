"""Next embedding from recent embeddings and actions: a causal transformer.

The predictor of LeWorldModel (Maes et al. 2026, arXiv:2603.19312, Sec. 3): one token a frame, the
action block that follows the frame enters every layer by adaptive LayerNorm whose gates start at
zero (Peebles & Xie 2023, arXiv:2212.09748, Sec. 3.2), and a BatchNorm projector at the end. It
predicts after every frame it is shown, so it may be shown fewer than L.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from agent.model.vit import INITIAL_STD, Attention, batch_norm_projector, initialise


@dataclass(frozen=True)
class TransformerConfig:
    """Sizes of the predictor; at most ``context`` L embeddings and as many action blocks go in."""

    context: int = 3
    width: int = 192
    depth: int = 6
    heads: int = 16
    head_width: int = 64
    hidden: int = 2048
    dropout: float = 0.1
    projector_width: int = 2048
    kind: str = "transformer"

    def __post_init__(self) -> None:
        if self.kind != "transformer":
            raise ValueError(f"expected kind 'transformer', got {self.kind!r}")
        counts = ("context", "width", "depth", "heads", "head_width", "hidden", "projector_width")
        for name in counts:
            if getattr(self, name) < 1:
                raise ValueError(f"expected {name} >= 1, got {getattr(self, name)}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"expected dropout in [0, 1), got {self.dropout}")


class TransformerPredictor(nn.Module):
    """Causal transformer over frames, conditioned on actions.

    ``action_mean`` and ``action_std`` (K*A) are those of the training actions.
    """

    action_mean: Tensor
    action_std: Tensor

    def __init__(self, config: TransformerConfig, latent_dim: int, action_width: int) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("action_mean", torch.zeros(action_width))
        self.register_buffer("action_std", torch.ones(action_width))
        self.read = nn.Linear(latent_dim, config.width)
        self.read_actions = nn.Sequential(
            nn.Linear(action_width, 4 * config.width), nn.SiLU(),
            nn.Linear(4 * config.width, config.width), nn.SiLU(),
        )  # fmt: skip
        self.positions = nn.Parameter(INITIAL_STD * torch.randn(config.context, config.width))
        self.blocks = nn.ModuleList(_AdaptiveBlock(config) for _ in range(config.depth))
        self.norm = nn.LayerNorm(config.width)
        self.apply(initialise)
        self.projector = batch_norm_projector(config.width, config.projector_width, latent_dim)
        for block in self.blocks:
            assert isinstance(block, _AdaptiveBlock)
            nn.init.zeros_(block.condition.weight)  # every block starts as the identity

    def set_action_statistics(self, actions: Tensor) -> None:
        """Take each number's mean and spread from training ``actions`` (N, A)."""
        block = len(self.action_mean) // actions.shape[1]
        self.action_mean.copy_(actions.mean(0).repeat(block))
        self.action_std.copy_(actions.std(0).clamp_min(1e-3).repeat(block))

    def forward(self, embeddings: Tensor, actions: Tensor) -> Tensor:
        """Next embedding (..., D) from ``embeddings`` (..., l, D), ``actions`` (..., l, K*A).

        l is at most L.
        """
        return self._project(self._think(embeddings, actions)[..., -1, :])

    def each_step(self, embeddings: Tensor, actions: Tensor) -> Tensor:
        """The embedding after every frame (..., l, D), each predicted from those up to it."""
        return self._project(self._think(embeddings, actions))

    def _think(self, embeddings: Tensor, actions: Tensor) -> Tensor:
        leading, count = embeddings.shape[:-2], embeddings.shape[-2]
        if count > self.config.context:
            raise ValueError(f"expected at most {self.config.context} embeddings, got {count}")
        flat = embeddings.reshape(-1, count, embeddings.shape[-1])
        tokens = self.read(flat) + self.positions[:count]  # (N, l, width)
        scaled = (actions.reshape(len(flat), count, -1) - self.action_mean) / self.action_std
        condition = self.read_actions(scaled)
        for block in self.blocks:
            tokens = block(tokens, condition)
        thought: Tensor = self.norm(tokens)
        return thought.reshape(*leading, count, -1)

    def _project(self, tokens: Tensor) -> Tensor:
        projected: Tensor = self.projector(tokens.reshape(-1, tokens.shape[-1]))
        return projected.reshape(*tokens.shape[:-1], -1)


class _AdaptiveBlock(nn.Module):
    """Attention and a small network, each shifted, scaled and gated by the actions."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        width = config.width
        self.look_norm = nn.LayerNorm(width, elementwise_affine=False)
        self.think_norm = nn.LayerNorm(width, elementwise_affine=False)
        self.look = Attention(width, config.heads, config.head_width, causal=True)
        self.think = nn.Sequential(
            nn.Linear(width, config.hidden), nn.GELU(), nn.Dropout(config.dropout),
            nn.Linear(config.hidden, width),
        )  # fmt: skip
        self.drop = nn.Dropout(config.dropout)
        self.condition = nn.Linear(width, 6 * width)

    def forward(self, tokens: Tensor, condition: Tensor) -> Tensor:
        shift, scale, gate, shift_2, scale_2, gate_2 = self.condition(condition).chunk(6, -1)
        seen = self.look(self.look_norm(tokens) * (1 + scale) + shift)
        tokens = tokens + gate * self.drop(seen)
        thought = self.think(self.think_norm(tokens) * (1 + scale_2) + shift_2)
        result: Tensor = tokens + gate_2 * self.drop(thought)
        return result
