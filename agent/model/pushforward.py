"""Forward-mode derivatives of a few layers, by hand.

A layer y = f(x) takes values ``x`` (E, I) and directional derivatives ``slopes`` (E, P, I) of x
to y (E, O) and (E, P, O): the chain rule applied forwards (Griewank & Walther 2008, "Evaluating
Derivatives", Sec. 3.1). Automatic differentiation gives the same numbers, with an overhead that
counts where a batch is as small as one control tick's.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

Pushed = tuple[Tensor, Tensor]


def push_layers(layers: nn.Sequential, values: Tensor, slopes: Tensor) -> Pushed:
    """Through one layer after another.

    Raises:
        TypeError: for a layer other than Linear, LayerNorm and SiLU.
    """
    for layer in layers:
        if isinstance(layer, nn.Linear):
            values, slopes = push_linear(layer, values, slopes)
        elif isinstance(layer, nn.LayerNorm):
            values, slopes = _push_layer_norm(layer, values, slopes)
        elif isinstance(layer, nn.SiLU):
            values, slopes = _push_silu(values, slopes)
        else:
            raise TypeError(f"expected Linear, LayerNorm or SiLU, got {type(layer).__name__}")
    return values, slopes


def push_linear(layer: nn.Linear, values: Tensor, slopes: Tensor) -> Pushed:
    """y = W x + b, dy = W dx."""
    return layer(values), slopes @ layer.weight.T


def _push_layer_norm(layer: nn.LayerNorm, values: Tensor, slopes: Tensor) -> Pushed:
    """y = w·x̂ + b with x̂ = (x − mean x)/σ; dy = (w/σ)·(dx − mean dx − x̂·mean(x̂·dx))."""
    width = values.shape[-1]
    unit, _, inverse = torch.native_layer_norm(values, [width], None, None, layer.eps)
    taken_out = torch.stack([torch.ones_like(unit), unit], 1)  # (E, 2, I)
    means = slopes @ (taken_out / width).transpose(1, 2)  # (E, P, 2)
    kept = torch.baddbmm(slopes, means, taken_out, alpha=-1)
    return torch.addcmul(layer.bias, unit, layer.weight), kept * (inverse * layer.weight)[:, None]


def _push_silu(values: Tensor, slopes: Tensor) -> Pushed:
    """y = x·s(x) with the logistic s; dy = (s + y·(1 − s))·dx."""
    gate = torch.sigmoid(values)
    result = values * gate
    return result, slopes * torch.addcmul(gate, result, 1 - gate)[:, None]
