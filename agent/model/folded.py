"""A predictor as planning calls it: the next embedding, or how it hangs on all that led there.

A control tick predicts a handful of plans, step after step. At such a size a layer's dispatch costs
more than its numbers, so the residual predictor is called without its modules, and what the actions
of a plan add is read for all of its steps at once. Its derivatives are pushed forward along a plan
(Griewank & Walther 2008, "Evaluating Derivatives", Sec. 3.1), with a row for each number that has
acted: fewer rows than outputs for most of the way, and small enough to stay in a cache.
A layer norm followed by y = W x̂ + b, with x̂ = (x − mean x)/σ and W̄ = W − (mean of each row), has

    ∂y/∂x = (W̄ − (W x̂) x̂ᵀ/n)/σ

What it reads is a sum, x = R₀ c₀ + R₁ c₁ + …, of what the predictor is given and what each block
before found inside. So rows of c = (c₀, c₁, …) are pushed, never those of x: they meet W̄R, which is
found once, and one outer product with Rᵀx̂ sets them right. That is two thirds of the work where a
block is as wide as what is given, less where it is wider. The same operations are traced for
export.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from agent.model.predictor import ResidualPredictor
from agent.model.rolling import Stepping, block_places, roll, windows_along

Affine = tuple[Tensor, Tensor]  # weight (O, I), bias (O,)
_SILU_IS_1 = 1.2784645427610738  # where x·s(x) = 1
Push = Callable[[int, Tensor], Tensor]  # rows (E, R, C) of derivatives at a step, to (E, R, O)


def stepping(predictor: nn.Module) -> Stepping:
    """``predictor`` as it is now, for planning; later changes of its weights do not count."""
    if isinstance(predictor, ResidualPredictor):
        return FoldedPredictor(predictor)
    return DifferentiatedPredictor(predictor)


class FoldedPredictor:
    """A residual predictor without its modules."""

    @torch.no_grad()
    def __init__(self, predictor: ResidualPredictor) -> None:
        self._read, self._context = _affine(predictor.read), predictor.config.context
        self._blocks, reads = [], [self._read[0]]
        for block in predictor.blocks:
            self._blocks.append(_Block(block, reads))
            reads = [*reads, self._blocks[-1].down[0]]
        norm, write = predictor.write.children()
        self._write = _Normed(norm, write, reads)

    def __call__(self, embeddings: Tensor, blocks: Tensor) -> Tensor:
        """See :class:`agent.model.rolling.Stepping`."""
        seen, sent = embeddings.flatten(0, -3), blocks.flatten(0, -3)
        ahead = self.roll(seen, sent[:, :-1], sent[:, None, -1:])
        return ahead.reshape(*embeddings.shape[:-2], -1)

    def roll(
        self, embeddings: Tensor, past: Tensor, candidates: Tensor, drift: Tensor | None = None
    ) -> Tensor:
        """As :func:`agent.model.rolling.roll`, with no more than remains to do at every step."""
        horizon, width = int(candidates.shape[2]), int(candidates.shape[3])  # a graph's own
        context, latent_dim, (weight, bias) = self._context, embeddings.shape[2], self._read
        constant = self._write.bias if drift is None else drift + self._write.bias
        given = [embeddings, past] if drift is None else [embeddings, past, constant]
        before, been, *lasting = _each_plan(given, candidates.shape[1])
        seen, always = [*torch.split(before, latent_dim, 1)], lasting[0] if lasting else constant
        sent = torch.cat([been, candidates.reshape(-1, horizon * width)], 1)
        sent = sent.reshape(-1, context - 1 + horizon, width)
        blocks = torch.cat([sent[:, at : at + horizon] for at in range(context)], 2)
        from_actions = F.linear(blocks, weight[:, context * latent_dim :], bias).flatten(1)
        by_seen, by_unit = weight[:, : context * latent_dim].t(), self._write.weight.t()
        for known in torch.split(from_actions, len(weight), 1):
            hidden = torch.addmm(known, torch.cat(seen[-context:], 1), by_seen)
            for block in self._blocks:
                hidden = block.added(hidden)
            seen.append(torch.addmm(seen[-1] + always, self._write.unit(hidden), by_unit))
        ahead = torch.cat(seen[context:], 1)
        return ahead.reshape(-1, candidates.shape[1], horizon, latent_dim)

    @torch.no_grad()
    def slopes(self, embeddings: Tensor, past: Tensor, plan: Tensor, predicted: Tensor) -> Tensor:
        """See :class:`agent.model.rolling.Stepping`."""
        (_, horizon, width), latent_dim = plan.shape, embeddings.shape[2]
        pushes = self._pushes(*windows_along(embeddings, past, plan, predicted))
        still = torch.zeros_like(embeddings).flatten(1)[:, None].expand(-1, width, -1)
        sent = _acted_blocks(self._context, int(horizon), int(width)).to(plan) + still[:, :1, :1]
        each_step = torch.split(sent, [width * at for at in range(1, horizon + 1)], 1)
        window, slopes = still, [still[:, :1, :latent_dim]]
        for number, acted in enumerate(each_step):
            rows = torch.cat([window, acted], 2)  # of all that is read: one for each that has acted
            for push in pushes[:-1]:
                rows = torch.cat([rows, push(number, rows)], 2)
            slopes.append(window[:, :, -latent_dim:] + pushes[-1](number, rows))
            window = torch.cat([window, slopes[-1]], 2)[:, :, latent_dim:]
            window = torch.cat([window, still], 1)
        places = _row_places(int(horizon), int(width)).to(plan.device)
        every = torch.cat(slopes, 1).index_select(1, places)
        return every.reshape(-1, horizon, horizon * width, latent_dim)

    def _pushes(self, windows: Tensor, blocks: Tensor) -> list[Push]:
        """How rows of all that is read come out of each block's inside, and at last as output."""
        hidden, pushes = F.linear(_side_by_side(windows, blocks), *self._read), []
        for block in self._blocks:
            hidden, push = block.with_push(hidden)
            pushes.append(push)
        _, rate, push_unit = self._write.with_push(hidden)
        rates = torch.split(rate, 1, 1)
        return [*pushes, lambda at, rows: push_unit(at, rows) * rates[at]]


class _Block:
    """Layer norm, linear, SiLU, linear."""

    def __init__(self, layers: nn.Module, reads: Sequence[Tensor]) -> None:
        norm, up, _, down = layers.children()
        self._up, self.down = _Normed(norm, up, reads), _affine(down)
        self._up_and_one, self._down_and_one = self._with_one()

    def _with_one(self) -> tuple[Affine, Tensor]:
        """The layers with an inner unit that is always 1, whose outgoing weights are the bias."""
        (out, bias), inner = self.down, self._up
        up = F.pad(inner.weight, (0, 0, 0, 1)), F.pad(inner.bias, (0, 1), value=_SILU_IS_1)
        return up, torch.cat([out.t(), bias[None]])

    def added(self, hidden: Tensor) -> Tensor:
        """``hidden`` (B, I) and what the block adds to it, in as few operations as can be."""
        inner = F.silu(F.linear(self._up.unit(hidden), *self._up_and_one))
        return torch.addmm(hidden, inner, self._down_and_one)

    def with_push(self, hidden: Tensor) -> tuple[Tensor, Push]:
        """(E, H, I) and what was added. With y = x·s(x), the logistic s, dy/dx = s + y·(1 − s)."""
        inner, rate, push_up = self._up.with_push(hidden)
        gate = torch.sigmoid(inner)
        bent = inner * gate
        steepness = torch.split((gate + bent * (1 - gate)) * rate, 1, 1)

        def push(at: int, rows: Tensor) -> Tensor:
            return push_up(at, rows) * steepness[at]

        return hidden + F.linear(bent, *self.down), push


class _Normed:
    """A layer norm and the linear layer after it.

    ``reads``: the weights (I, C) of all whose sum it is given.
    """

    def __init__(self, norm: nn.Module, linear: nn.Module, reads: Sequence[Tensor]) -> None:
        assert isinstance(norm, nn.LayerNorm) and isinstance(linear, nn.Linear)
        self._eps, self._width = norm.eps, linear.in_features
        self.weight = linear.weight * norm.weight
        self.bias = linear.bias + linear.weight @ norm.bias
        self._reads = torch.cat(list(reads), 1)
        self._through = ((self.weight - self.weight.mean(1, keepdim=True)) @ self._reads).t()

    def unit(self, values: Tensor) -> Tensor:
        """Of mean 0 and variance 1."""
        return torch.layer_norm(values, [self._width], eps=self._eps)

    def with_push(self, values: Tensor) -> tuple[Tensor, Tensor, Push]:
        """(E, H, I) to (E, H, O), 1/σ (E, H, 1), and what makes (E, R, O), but for 1/σ, of rows of
        all that was read."""
        unit, _, rate = torch.native_layer_norm(values, [self._width], None, None, self._eps)
        straight = F.linear(unit, self.weight)
        inwards = torch.split((unit @ self._reads).transpose(1, 2), 1, 2)
        outwards = torch.split(straight / -self._width, 1, 1)

        def push(at: int, rows: Tensor) -> Tensor:
            return torch.addcmul(rows @ self._through, rows @ inwards[at], outwards[at])

        return straight + self.bias, rate, push


class DifferentiatedPredictor:
    """Any other predictor, its slopes by automatic differentiation."""

    def __init__(self, predictor: nn.Module) -> None:
        self._predictor = predictor

    def __call__(self, embeddings: Tensor, blocks: Tensor) -> Tensor:
        """See :class:`agent.model.rolling.Stepping`."""
        following: Tensor = self._predictor(embeddings, blocks)
        return following

    def roll(
        self, embeddings: Tensor, past: Tensor, candidates: Tensor, drift: Tensor | None = None
    ) -> Tensor:
        """See :class:`agent.model.rolling.Stepping`."""
        return roll(self, embeddings, past, candidates, drift)

    @torch.no_grad()
    def slopes(self, embeddings: Tensor, past: Tensor, plan: Tensor, predicted: Tensor) -> Tensor:
        """See :class:`agent.model.rolling.Stepping`.

        Once the trajectory is known, derivatives at all of its steps are independent, and found at
        once; what remains step after step is to chain matrices as small as an embedding.
        """
        (_, horizon, width), (_, context, latent_dim) = plan.shape, embeddings.shape
        windows, blocks = windows_along(embeddings, past, plan, predicted)
        jacobian = self._jacobian(windows.flatten(0, 1), blocks.flatten(0, 1))
        by_each = jacobian.reshape(-1, horizon, latent_dim, jacobian.shape[2]).transpose(2, 3)
        seen_width = context * latent_dim
        by_past, by_actions = by_each[:, :, :seen_width], by_each[:, :, seen_width:]
        direct = block_places(context, horizon, width).to(plan) @ by_actions  # (E, H, P, D)
        slopes = [direct[:, 0]]  # what was seen before depends on no action
        for number in range(1, horizon):
            before = torch.cat(slopes[-context:], 2)
            rows = by_past[:, number, -before.shape[2] :]
            slopes.append(torch.baddbmm(direct[:, number], before, rows))
        return torch.stack(slopes, 1)

    @torch.enable_grad()
    def _jacobian(self, embeddings: Tensor, blocks: Tensor) -> Tensor:
        """The derivative (B, D, L*D + L*K*A) by the embeddings and then the blocks."""
        at = [each.detach().requires_grad_() for each in (embeddings, blocks)]
        following = self._predictor(*at)
        basis = torch.eye(following.shape[1]).to(following)[:, None].expand(-1, *following.shape)
        found = torch.autograd.grad(following, at, basis, is_grads_batched=True)  # (D, B, L, ...)
        return torch.cat([each.flatten(2) for each in found], -1).transpose(0, 1)


@lru_cache(maxsize=8)
def _acted_blocks(context: int, horizon: int, width: int) -> Tensor:
    """:func:`block_places` of the numbers that have acted by each step, one step after another."""
    places = block_places(context, horizon, width)
    return torch.cat([step[: width * at] for at, step in enumerate(places, 1)])


@lru_cache(maxsize=8)
def _row_places(horizon: int, width: int) -> Tensor:
    """Where, after a row of zeros, slopes with ``width`` rows more at every step have the row of
    each of H steps and H*K*A numbers."""
    step, number = np.indices((horizon, horizon * width))
    before = 1 + width * step * (step + 1) // 2
    return torch.from_numpy(np.where(number < width * (step + 1), before + number, 0).ravel())


def _side_by_side(embeddings: Tensor, blocks: Tensor) -> Tensor:
    return torch.cat([embeddings.flatten(-2), blocks.flatten(-2)], -1)


def _each_plan(given: Sequence[Tensor], count: int) -> Sequence[Tensor]:
    """What each episode has (E, ...), flat, the same for each of its N plans: (E*N, ...)."""
    flat = [each.flatten(1) for each in given]
    if count == 1:
        return flat
    every = torch.cat(flat, 1)
    repeated = every[:, None].expand(-1, count, -1).reshape(-1, int(every.shape[1]))
    return torch.split(repeated, [int(each.shape[1]) for each in flat], 1)


def _affine(layer: nn.Module) -> Affine:
    assert isinstance(layer, nn.Linear)
    return layer.weight.detach(), layer.bias.detach()
