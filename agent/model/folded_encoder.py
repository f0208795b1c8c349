"""The convolutional encoder as a controller calls it: a picture at a time, in few operations.

A batch norm in evaluation mode is linear, and so is what is done to pixels at first: both are
folded into the weights beside them (Jacob et al. 2018, arXiv:1712.05877, Sec. 3.2).
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from agent.model.encoder import ConvEncoder

Encoding = Callable[[Tensor], Tensor]


def encoding(encoder: nn.Module) -> Encoding:
    """``encoder`` in evaluation mode, as it is now: later changes of its weights do not count.

    It takes frames uint8 (E, h, w, 3) to embeddings (E, D).
    """
    return FoldedEncoder(encoder) if isinstance(encoder, ConvEncoder) else encoder


class FoldedEncoder:
    """A convolutional encoder without its batch norms."""

    @torch.no_grad()
    def __init__(self, encoder: ConvEncoder) -> None:
        layers = list(encoder.network)
        self._first, *self._others, self._hidden, self._last = (
            _folded(layer, following)
            for layer, following in pairwise(layers)
            if isinstance(layer, nn.Conv2d | nn.Linear)
        )
        mean, std = encoder.pixel_mean, encoder.pixel_std
        self._of_black = self._first(-mean[None] / std)
        self._first.weight.div_(std)

    def __call__(self, frames: Tensor) -> Tensor:
        """Embeddings (E, D) of ``frames`` uint8 (E, h, w, 3)."""
        pixels, first = frames.float().permute(0, 3, 1, 2), self._first
        maps = F.conv2d(pixels, first.weight, None, first.stride, first.padding) + self._of_black
        for layer in self._others:
            maps = layer(F.silu(maps))
        embeddings: Tensor = self._last(F.silu(self._hidden(F.silu(maps).flatten(1))))
        return embeddings


def _folded(layer: Any, norm: Any) -> Any:
    """``layer`` and the batch norm after it as one layer of the same kind."""
    folded = copy.deepcopy(layer)
    scale = (norm.running_var + norm.eps).rsqrt()
    if norm.affine:
        scale = scale * norm.weight
    shift = -norm.running_mean * scale
    if norm.affine:
        shift = shift + norm.bias
    bias = shift if layer.bias is None else shift + layer.bias * scale
    folded.bias = nn.Parameter(bias, requires_grad=False)
    folded.weight = nn.Parameter(
        layer.weight * scale.reshape(-1, *[1] * (layer.weight.ndim - 1)), requires_grad=False
    )
    return folded
