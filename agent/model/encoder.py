"""Frames to embeddings: a small convolutional network for a CPU.

One frame gives one embedding, so an embedding holds the pose and not the velocity. The last
BatchNorm has no learned scale: together with SIGReg it keeps embeddings centred and of unit
variance (a final LayerNorm would stop SIGReg from doing so; Maes et al. 2026, arXiv:2603.19312).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

_REDUCTION = 16  # of each side, by the strides
_PART = 256  # frames made floats at once


@dataclass(frozen=True)
class EncoderConfig:
    """Sizes of the encoder: ``latent_dim`` numbers come out."""

    latent_dim: int = 32
    channels: tuple[int, int, int] = (16, 32, 64)
    hidden: int = 256

    def __post_init__(self) -> None:
        if self.latent_dim < 1 or self.hidden < 1:
            raise ValueError(
                f"expected latent_dim and hidden >= 1, got {self.latent_dim} and {self.hidden}"
            )
        if len(self.channels) != 3 or min(self.channels) < 1:
            raise ValueError(f"expected channels of 3 layers, 1 or more each, got {self.channels}")


class ConvEncoder(nn.Module):
    """Strided convolutions with BatchNorm, then a linear head.

    ``pixel_mean`` (3, h, w) and ``pixel_std`` hold the training frames' statistics: removing the
    static background leaves what moves, and the first layer need not learn it.

    Raises:
        ValueError: if a side of ``image_size`` (h, w) [px] is below 16.
    """

    pixel_mean: Tensor
    pixel_std: Tensor

    def __init__(self, config: EncoderConfig, image_size: tuple[int, int]) -> None:
        super().__init__()
        height, width = image_size
        if min(image_size) < _REDUCTION:
            raise ValueError(
                f"expected frames of at least {_REDUCTION} px a side, got {image_size}"
            )
        self.config = config
        self.register_buffer("pixel_mean", torch.zeros(3, height, width))
        self.register_buffer("pixel_std", torch.tensor(255.0))
        one, two, three = config.channels
        self.network = nn.Sequential(
            *_convolution(3, one, kernel=8, stride=4, padding=2),
            *_convolution(one, two, kernel=4, stride=2, padding=1),
            *_convolution(two, three, kernel=4, stride=2, padding=1),
            nn.Flatten(),
            nn.Linear(
                three * (height // _REDUCTION) * (width // _REDUCTION), config.hidden, bias=False
            ),
            nn.BatchNorm1d(config.hidden),
            nn.SiLU(),
            nn.Linear(config.hidden, config.latent_dim),
            nn.BatchNorm1d(config.latent_dim, affine=False),
        )
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def set_pixel_statistics(self, frames: Tensor) -> None:
        """Take mean image and overall spread from training ``frames`` uint8 (N, h, w, 3)."""
        parts = torch.split(frames.permute(0, 3, 1, 2), _PART)
        mean = sum(part.sum(0) for part in parts) / len(frames)
        squares = sum(float((part - mean).square().sum()) for part in parts)
        self.pixel_mean.copy_(torch.as_tensor(mean))
        self.pixel_std.fill_(max(1.0, math.sqrt(squares / (frames.numel() - 1))))

    def forward(self, frames: Tensor) -> Tensor:
        """Embeddings (..., D) of ``frames`` uint8 (..., h, w, 3)."""
        leading = frames.shape[:-3]
        pixels = self.normalise(frames.reshape(-1, *frames.shape[-3:]))
        embeddings: Tensor = self.network(pixels)
        return embeddings.reshape(*leading, -1)

    def normalise(self, frames: Tensor) -> Tensor:
        """uint8 (N, h, w, 3) to float (N, 3, h, w): the only place where pixels become floats."""
        mean = self.pixel_mean.permute(1, 2, 0).contiguous()  # as frames lie in memory
        return frames.float().sub_(mean).div_(self.pixel_std).permute(0, 3, 1, 2)


def _convolution(
    inputs: int, outputs: int, kernel: int, stride: int, padding: int
) -> list[nn.Module]:
    layer = nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False)
    return [layer, nn.BatchNorm2d(outputs), nn.SiLU()]
