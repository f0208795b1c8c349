"""A predictor as planning calls it: the next embedding, or how it hangs on all that led there.

A control tick predicts a handful of plans, step after step. At such a size a layer's dispatch costs
more than its numbers, so the residual predictor is called without its modules, and what the actions
of a plan add is read for all of its steps at once. Its derivatives are pulled back from the D
outputs (Griewank & Walther 2008, "Evaluating Derivatives", Sec. 3.2) at all steps of a trajectory
at once: a few large products in place of many small ones. A layer norm followed by y = W x̂ + b,
with x̂ = (x − mean x)/σ and W̄ = W − (mean of each row), has

    ∂y/∂x = (W̄ − (W x̂) x̂ᵀ/n)/σ

so that rows meet the product as they are, and one outer product sets them right. The same
operations are traced for export.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from agent.model.predictor import ResidualPredictor
from agent.model.rolling import Stepping, roll

Affine = tuple[Tensor, Tensor]  # weight (O, I), bias (O,)
_SILU_IS_1 = 1.2784645427610738  # where x·s(x) = 1
Pull = Callable[[Tensor], Tensor]  # rows (B, R, O) of derivatives by an output, by its input


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
        self._blocks = [_Block(block) for block in predictor.blocks]
        self._write = _Normed(*predictor.write.children())

    def __call__(self, embeddings: Tensor, blocks: Tensor) -> Tensor:
        """See :class:`agent.model.rolling.Stepping`."""
        seen, sent = embeddings.flatten(0, -3), blocks.flatten(0, -3)
        ahead = self.roll(seen, sent[:, :-1], sent[:, None, -1:])
        return ahead.reshape(*embeddings.shape[:-2], -1)

    def roll(
        self, embeddings: Tensor, past: Tensor, candidates: Tensor, drift: Tensor | None = None
    ) -> Tensor:
        """As :func:`agent.model.rolling.roll`, with no more than remains to do at every step."""
        episodes, count, horizon, _ = candidates.shape
        seen = list(_each_plan(embeddings, count).unbind(1))
        weight, bias = self._read
        seen_width = self._context * embeddings.shape[2]
        sent = torch.cat([_each_plan(past, count), candidates.flatten(0, 1)], 1)
        blocks = torch.cat([sent[:, at : at + horizon] for at in range(self._context)], 2)
        from_actions = F.linear(blocks, weight[:, seen_width:], bias).unbind(1)
        by_seen, by_unit = weight[:, :seen_width].t(), self._write.weight.t()
        always = self._write.bias if drift is None else _each_plan(drift + self._write.bias, count)
        for known in from_actions:
            hidden = torch.addmm(known, torch.cat(seen[-self._context :], 1), by_seen)
            for block in self._blocks:
                hidden = block.added(hidden)
            seen.append(torch.addmm(seen[-1] + always, self._write.unit(hidden), by_unit))
        ahead = torch.stack(seen[self._context :], 1)
        return ahead.reshape(episodes, count, horizon, -1)

    def jacobian(self, embeddings: Tensor, blocks: Tensor) -> Tensor:
        """See :class:`agent.model.rolling.Stepping`."""
        hidden, pulls = F.linear(_side_by_side(embeddings, blocks), *self._read), []
        for block in self._blocks:
            more, pull = block.with_pull(hidden)
            hidden = hidden + more
            pulls.append(pull)
        change, pull_change = self._write.with_pull(hidden)
        rows = pull_change(
            torch.eye(change.shape[1]).to(change) + torch.zeros_like(change)[:, None]
        )
        for pull in reversed(pulls):
            rows = rows + pull(rows)
        return _with_newest(rows @ self._read[0], embeddings.shape[1])


class _Block:
    """Layer norm, linear, SiLU, linear."""

    def __init__(self, layers: nn.Module) -> None:
        norm, up, _, down = layers.children()
        self._up, self._down = _Normed(norm, up), _affine(down)
        self._up_and_one, self._down_and_one = self._with_one()

    def _with_one(self) -> tuple[Affine, Tensor]:
        """The layers with an inner unit that is always 1, whose outgoing weights are the bias."""
        (out, bias), inner = self._down, self._up
        up = F.pad(inner.weight, (0, 0, 0, 1)), F.pad(inner.bias, (0, 1), value=_SILU_IS_1)
        return up, torch.cat([out.t(), bias[None]])

    def added(self, hidden: Tensor) -> Tensor:
        """``hidden`` (B, I) and what the block adds to it, in as few operations as can be."""
        inner = F.silu(F.linear(self._up.unit(hidden), *self._up_and_one))
        return torch.addmm(hidden, inner, self._down_and_one)

    def with_pull(self, hidden: Tensor) -> tuple[Tensor, Pull]:
        """With y = x·s(x) and the logistic s, dy/dx = s + y·(1 − s)."""
        inner, pull_up = self._up.with_pull(hidden)
        gate = torch.sigmoid(inner)
        bent = inner * gate
        steepness = (gate + bent * (1 - gate))[:, None]
        weight, bias = self._down
        return F.linear(bent, weight, bias), lambda rows: pull_up((rows @ weight) * steepness)


class _Normed:
    """A layer norm and the linear layer after it."""

    def __init__(self, norm: nn.Module, linear: nn.Module) -> None:
        assert isinstance(norm, nn.LayerNorm) and isinstance(linear, nn.Linear)
        self._eps, self._width = norm.eps, linear.in_features
        self.weight = linear.weight * norm.weight
        self.bias = linear.bias + linear.weight @ norm.bias
        self._centred = self.weight - self.weight.mean(1, keepdim=True)

    def unit(self, values: Tensor) -> Tensor:
        """Of mean 0 and variance 1."""
        return torch.layer_norm(values, [self._width], eps=self._eps)

    def with_pull(self, values: Tensor) -> tuple[Tensor, Pull]:
        """(B, I) to (B, O)."""
        unit, _, rate = torch.native_layer_norm(values, [self._width], None, None, self._eps)
        straight = F.linear(unit, self.weight)
        outwards, inwards = straight[:, :, None] / -self._width, unit[:, None]

        def pull(rows: Tensor) -> Tensor:
            return torch.baddbmm(rows @ self._centred, rows @ outwards, inwards) * rate[:, None]

        return straight + self.bias, pull


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

    @torch.enable_grad()
    def jacobian(self, embeddings: Tensor, blocks: Tensor) -> Tensor:
        """See :class:`agent.model.rolling.Stepping`."""
        at = [each.detach().requires_grad_() for each in (embeddings, blocks)]
        following = self._predictor(*at)
        basis = torch.eye(following.shape[1]).to(following)[:, None].expand(-1, *following.shape)
        found = torch.autograd.grad(following, at, basis, is_grads_batched=True)  # (D, B, L, ...)
        return torch.cat([each.flatten(2) for each in found], -1).transpose(0, 1)


def _side_by_side(embeddings: Tensor, blocks: Tensor) -> Tensor:
    return torch.cat([embeddings.flatten(-2), blocks.flatten(-2)], -1)


def _each_plan(values: Tensor, count: int) -> Tensor:
    """(E, ...) as (E*N, ...), the same for each of N plans."""
    return values[:, None].expand(-1, count, *values.shape[1:]).flatten(0, 1)


def _with_newest(rows: Tensor, context: int) -> Tensor:
    """Derivatives (B, D, F) of the change, made those of the embedding that changed."""
    latent_dim = rows.shape[1]
    newest = torch.eye(latent_dim).to(rows)
    first = (context - 1) * latent_dim
    return rows + F.pad(newest, (first, rows.shape[2] - first - latent_dim))


def _affine(layer: nn.Module) -> Affine:
    assert isinstance(layer, nn.Linear)
    return layer.weight.detach(), layer.bias.detach()
