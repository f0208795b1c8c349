"""Invertible mixings made of affine couplings, and encoders that can undo them.

(Dinh, Sohl-Dickstein & Bengio 2017, "Density estimation using Real NVP", arXiv:1605.08803.) A layer
leaves half of the coordinates and moves the other half: b' = b·exp(s(a)) + t(a). It is undone
exactly, by b = (b' − t(a))·exp(−s(a)), whatever s and t are.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

UNITS = 8  # hidden units of each s and t of a mixing
LAYERS = 4
LOG_SCALE_LIMIT = 0.5  # |s| stays below, so nothing is blown up


class Couplings(nn.Module):
    """Affine couplings (samples, N) → (samples, N); halves change roles between layers.

    s and t of a coordinate are small networks of one coordinate of the other half; a fixed
    permutation after each layer chooses another one for the next, so that with ``LAYERS`` layers
    every output depends on many inputs. One input each keeps N = 1024 within a CPU's reach.

    Args:
        dimensions: N, even.
        generator: source of the weights.
        strength: size of the output weights; 0 starts at the identity, as an encoder does.
        inverse: apply the layers' inverses in reverse order.
        units: hidden units of each s and t.
    """

    def __init__(
        self,
        dimensions: int,
        generator: torch.Generator,
        strength: float,
        inverse: bool = False,
        units: int = UNITS,
    ) -> None:
        super().__init__()
        if dimensions < 2 or dimensions % 2:
            raise ValueError(f"expected an even number of dimensions, got {dimensions}")
        self.halfway, self.inverse = dimensions // 2, inverse
        size = (LAYERS, self.halfway, units)
        spread = 1.5 if strength else 1.0
        self.slopes = nn.Parameter(spread * torch.randn(size, generator=generator))
        self.offsets = nn.Parameter(torch.randn(size, generator=generator))
        outputs = torch.randn((LAYERS, 2, *size[1:]), generator=generator)
        self.outputs = nn.Parameter(strength * outputs / units**0.5)
        # The masks of a Real NVP are part of its architecture, so encoder and mixing share them.
        order = torch.Generator().manual_seed(dimensions)
        self.orders = [torch.randperm(self.halfway, generator=order) for _ in range(LAYERS)]

    def forward(self, inputs: Tensor) -> Tensor:
        """(samples, N) → (samples, N)."""
        layers = reversed(range(LAYERS)) if self.inverse else range(LAYERS)
        for layer in layers:
            inputs = self._undo(layer, inputs) if self.inverse else self._do(layer, inputs)
        return inputs

    def _do(self, layer: int, inputs: Tensor) -> Tensor:
        kept, moved = inputs[:, : self.halfway], inputs[:, self.halfway :]
        log_scale, shift = self._move(layer, kept)
        moved = moved * log_scale.exp() + shift
        return torch.cat([moved[:, self.orders[layer]], kept], 1)

    def _undo(self, layer: int, inputs: Tensor) -> Tensor:
        moved, kept = inputs[:, : self.halfway], inputs[:, self.halfway :]
        log_scale, shift = self._move(layer, kept)
        moved = (moved[:, self.orders[layer].argsort()] - shift) * (-log_scale).exp()
        return torch.cat([kept, moved], 1)

    def _move(self, layer: int, kept: Tensor) -> tuple[Tensor, Tensor]:
        hidden = torch.tanh(kept[:, :, None] * self.slopes[layer] + self.offsets[layer])
        scale, shift = torch.einsum("nmk,smk->snm", hidden, self.outputs[layer])
        return LOG_SCALE_LIMIT * torch.tanh(scale), shift


class PlanarCoupling:
    """A fixed random mixing of two latents by couplings."""

    def __init__(self, seed: int, strength: float = 1.0) -> None:
        self._layers = fixed_mixing(2, seed, strength)

    def __call__(self, latents: Tensor) -> Tensor:
        """(samples, 2) → (samples, 2)."""
        observed: Tensor = self._layers(latents)
        return observed


def fixed_mixing(dimensions: int, seed: int, strength: float) -> Couplings:
    """A random mixing that is not trained."""
    layers = Couplings(dimensions, torch.Generator().manual_seed(seed), strength)
    layers.requires_grad_(False)
    return layers
