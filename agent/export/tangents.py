"""The slope of a rollout in closed form, forwards: no autograd, so that it can be exported.

What :mod:`agent.model.linearise` computes, in operations that a graph can hold: nothing is written
in place, and a linear layer takes a value and its tangents, one for each action that it depends on,
in one product. Actions of later steps have no effect yet: step h carries (h+1)*K*A tangents.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from agent.errors import UserError
from agent.model.predictor import ResidualPredictor
from agent.model.world_model import WorldModel


@dataclass(frozen=True)
class Dual:
    """``value`` (E, 1, W) and its ``tangents`` (E, C, W)."""

    value: Tensor
    tangents: Tensor

    def __add__(self, other: Dual) -> Dual:
        return Dual(self.value + other.value, self.tangents + other.tangents)

    def padded(self, count: int) -> Dual:
        """With zero tangents added, up to ``count``."""
        missing = count - int(self.tangents.shape[1])
        return Dual(self.value, F.pad(self.tangents, (0, 0, 0, missing)))


def rollout_with_tangents(
    model: WorldModel, embeddings: Tensor, past: Tensor, actions: Tensor, drift: Tensor
) -> list[Dual]:
    """The predicted embedding after each of the H steps, with its tangents (E, (h+1)*K*A, D).

    Args:
        model: in evaluation mode, with the residual predictor.
        embeddings: (E, L, D), the last one is now.
        past: (E, L-1, K*A), action blocks between them.
        actions: (E, H, K*A), the plan.
        drift: (E, D), added to every prediction.
    """
    predictor, sent = model.predictor, torch.cat([past, actions], 1)
    assert isinstance(predictor, ResidualPredictor)
    seen = [_constant(embeddings[:, index]) for index in range(model.context)]
    for step in range(actions.shape[1]):
        blocks = _actions(sent[:, step : step + model.context], step, model)
        count = int(blocks.tangents.shape[1])
        window = [each.padded(count) for each in seen[-model.context :]]
        following = _predict(predictor, window, blocks)
        seen.append(Dual(following.value + drift[:, None], following.tangents))
    return seen[model.context :]


def _constant(vector: Tensor) -> Dual:
    return Dual(vector[:, None], vector[:, None, :][:, :0])


def _actions(blocks: Tensor, step: int, model: WorldModel) -> Dual:
    """The actions (E, L, K*A) that a step reads; each of the plan's is its own tangent."""
    width = model.action_width
    count, read = (step + 1) * width, model.context * width
    # Tangent c is variable c of the plan, which stands at column c - first of what is read.
    first = (step + 1 - model.context) * width
    chosen = torch.zeros(count, read)
    for variable in range(max(first, 0), count):
        chosen[variable, variable - first] = 1.0
    return Dual(blocks.flatten(1)[:, None], chosen.expand(blocks.shape[0], -1, -1))


def _predict(predictor: ResidualPredictor, window: list[Dual], blocks: Dual) -> Dual:
    features = Dual(
        torch.cat([*(each.value for each in window), blocks.value], -1),
        torch.cat([*(each.tangents for each in window), blocks.tangents], -1),
    )
    hidden = _linear(predictor.read, features)
    for block in predictor.blocks:
        hidden = hidden + _through(block, hidden)
    return window[-1] + _through(predictor.write, hidden)


def _through(layers: nn.Module, dual: Dual) -> Dual:
    for layer in layers.children():
        if isinstance(layer, nn.Linear):
            dual = _linear(layer, dual)
        elif isinstance(layer, nn.LayerNorm):
            dual = _layer_norm(layer, dual)
        elif isinstance(layer, nn.SiLU):
            dual = _silu(dual)
        else:
            raise UserError(f"expected Linear, LayerNorm or SiLU in the predictor, got {layer}")
    return dual


def _linear(layer: nn.Linear, dual: Dual) -> Dual:
    """One product for the value and its tangents: the weights are read once."""
    rows = torch.cat([dual.value, dual.tangents], 1) @ layer.weight.T
    return Dual(rows[:, :1] + layer.bias, rows[:, 1:])


def _layer_norm(layer: nn.LayerNorm, dual: Dual) -> Dual:
    centred = dual.value - dual.value.mean(-1, keepdim=True)
    rate = (centred.square().mean(-1, keepdim=True) + layer.eps).rsqrt()
    normal = centred * rate
    moved = dual.tangents - dual.tangents.mean(-1, keepdim=True)
    along = (dual.tangents * normal).mean(-1, keepdim=True)
    return Dual(
        normal * layer.weight + layer.bias, (moved - normal * along) * (rate * layer.weight)
    )


def _silu(dual: Dual) -> Dual:
    gate = torch.sigmoid(dual.value)
    slope = gate * (1 + dual.value * (1 - gate))
    return Dual(dual.value * gate, dual.tangents * slope)
