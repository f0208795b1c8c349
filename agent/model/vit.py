"""Frames to embeddings: a vision transformer, the encoder of LeWorldModel.

A frame is cut into square patches; the class token that has looked at all of them is projected to
the embedding (Dosovitskiy et al. 2021, arXiv:2010.11929, Sec. 3.1). The projector holds a BatchNorm
and ends without any norm, as SIGReg needs it (Maes et al. 2026, arXiv:2603.19312, Sec. 3).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

INITIAL_STD = 0.02


@dataclass(frozen=True)
class ViTConfig:
    """ViT-tiny on frames cut into square patches of ``patch_size`` [px].

    The paper has frames of 224 and patches of 14, which makes 256 of them; the default makes 64 of
    a 64 px frame, so that a CPU can train it. ``projector_width`` is that of the layer between
    token and embedding.
    """

    latent_dim: int = 192
    patch_size: int = 8
    width: int = 192
    depth: int = 12
    heads: int = 3
    projector_width: int = 2048
    kind: str = "vit"

    def __post_init__(self) -> None:
        if self.kind != "vit":
            raise ValueError(f"expected kind 'vit', got {self.kind!r}")
        for name in ("patch_size", "latent_dim", "width", "depth", "heads", "projector_width"):
            if getattr(self, name) < 1:
                raise ValueError(f"expected {name} >= 1, got {getattr(self, name)}")
        if self.width % self.heads:
            raise ValueError(f"expected width divisible by heads={self.heads}, got {self.width}")


class ViTEncoder(nn.Module):
    """Vision transformer, class token, BatchNorm projector.

    ``pixel_mean`` and ``pixel_std`` (3, 1, 1) are those of the training frames' three colours.

    Raises:
        ValueError: if patches do not fill frames of ``image_size`` (h, w) [px].
    """

    pixel_mean: Tensor
    pixel_std: Tensor

    def __init__(self, config: ViTConfig, image_size: tuple[int, int]) -> None:
        super().__init__()
        if any(side % config.patch_size for side in image_size):
            raise ValueError(
                f"expected frames whose sides patch_size={config.patch_size} divides, got "
                f"{image_size}"
            )
        self.config = config
        self.register_buffer("pixel_mean", torch.zeros(3, 1, 1))
        self.register_buffer("pixel_std", torch.full((3, 1, 1), 255.0))
        patches = math.prod(side // config.patch_size for side in image_size)
        self.cut = nn.Conv2d(3, config.width, config.patch_size, config.patch_size)
        self.class_token = nn.Parameter(INITIAL_STD * torch.randn(1, 1, config.width))
        self.positions = nn.Parameter(INITIAL_STD * torch.randn(1, patches + 1, config.width))
        self.blocks = nn.ModuleList(_Block(config.width, config.heads) for _ in range(config.depth))
        self.norm = nn.LayerNorm(config.width)
        self.apply(initialise)
        self.projector = batch_norm_projector(  # started wider: embeddings of about unit size
            config.width, config.projector_width, config.latent_dim
        )

    def set_pixel_statistics(self, frames: Tensor) -> None:
        """Take each colour's mean and spread from training ``frames`` uint8 (N, h, w, 3)."""
        colours = frames.permute(3, 0, 1, 2).flatten(1).float()  # (3, N*h*w)
        self.pixel_mean.copy_(colours.mean(1)[:, None, None])
        self.pixel_std.copy_(colours.std(1).clamp_min(1.0)[:, None, None])

    def forward(self, frames: Tensor) -> Tensor:
        """Embeddings (..., D) of ``frames`` uint8 (..., h, w, 3)."""
        leading = frames.shape[:-3]
        pixels = self.normalise(frames.reshape(-1, *frames.shape[-3:]))
        patches = self.cut(pixels).flatten(2).transpose(1, 2)  # (N, patches, width)
        tokens = torch.cat([self.class_token.expand(patches.shape[0], -1, -1), patches], 1)
        tokens = tokens + self.positions
        for block in self.blocks:
            tokens = block(tokens)
        embeddings: Tensor = self.projector(self.norm(tokens[:, 0]))
        return embeddings.reshape(*leading, -1)

    def normalise(self, frames: Tensor) -> Tensor:
        """uint8 (N, h, w, 3) to float (N, 3, h, w)."""
        pixels = frames.permute(0, 3, 1, 2).float()
        return pixels.sub_(self.pixel_mean).div_(self.pixel_std)


class _Block(nn.Module):
    """Every token looks at every other, then thinks for itself."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.look_norm, self.think_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.look = Attention(width, heads, width // heads)
        self.think = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    def forward(self, tokens: Tensor) -> Tensor:
        tokens = tokens + self.look(self.look_norm(tokens))
        thought: Tensor = tokens + self.think(self.think_norm(tokens))
        return thought


class Attention(nn.Module):
    """Multi-head self-attention on (N, tokens, width) (Vaswani et al. 2017, arXiv:1706.03762).

    ``causal``: a token sees itself and those before it.
    """

    def __init__(self, width: int, heads: int, head_width: int, causal: bool = False) -> None:
        super().__init__()
        self.heads, self.causal = heads, causal
        self.read = nn.Linear(width, 3 * heads * head_width)
        self.write = nn.Linear(heads * head_width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Same shape."""
        parts = self.read(tokens).unflatten(-1, (3, self.heads, -1))
        query, key, value = parts.permute(2, 0, 3, 1, 4)  # each (N, heads, tokens, head width)
        seen = attend(query, key, value, self.causal)
        written: Tensor = self.write(seen.transpose(1, 2).flatten(2))
        return written


def attend(query: Tensor, key: Tensor, value: Tensor, causal: bool) -> Tensor:
    """What each token sees: (N, heads, tokens, head width), as its three arguments.

    On a CPU torch's fused attention is several times slower in bfloat16 than the same in steps.
    """
    if query.device.type != "cpu" or query.dtype != torch.bfloat16:
        return F.scaled_dot_product_attention(query, key, value, is_causal=causal)
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    if causal:
        later = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
        scores = scores.masked_fill(later, -math.inf)
    return scores.softmax(-1, dtype=torch.float32).to(value.dtype) @ value


def batch_norm_projector(inputs: int, width: int, outputs: int) -> nn.Sequential:
    """(N, inputs) to (N, outputs): no norm at the end, which would stop SIGReg."""
    return nn.Sequential(
        nn.Linear(inputs, width), nn.BatchNorm1d(width), nn.GELU(), nn.Linear(width, outputs)
    )


def initialise(layer: nn.Module) -> None:
    """Small normal weights and no bias, as transformers are usually started."""
    if isinstance(layer, nn.Linear):
        nn.init.trunc_normal_(layer.weight, std=INITIAL_STD)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
