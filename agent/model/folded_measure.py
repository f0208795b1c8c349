"""The distance to a goal as planning calls it, in few operations, and its slopes.

The planner measures in M numbers: slow features A z + B tanh(C z + c), where the model has them,
and linear ones S z (:meth:`agent.model.world_model.WorldModel.measured`). Both linear parts are
one, and their derivative at z, that of tanh being 1 − tanh², is

    J(z) = [A + B diag(1 − tanh²(C z + c)) C; S]

which meets the slopes of z in a single product.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from agent.model.world_model import WorldModel


class FoldedMeasure:
    """Of ``model`` as it is now: embeddings (..., D) to the numbers (..., M) of the goal metric."""

    @torch.no_grad()
    def __init__(self, model: WorldModel) -> None:
        metric, slow = model.goal_metric.detach().t(), model.slow
        self._bent = None
        self._straight = metric  # (M, D)
        if slow is not None:
            out = F.pad(slow.out.weight.detach().t(), (0, len(metric)))  # (hidden, M)
            self._bent = slow.bent.weight.detach(), slow.bent.bias.detach(), out
            self._straight = torch.cat([slow.straight.weight.detach(), metric])

    def __call__(self, embeddings: Tensor) -> Tensor:
        """(..., M) of embeddings (..., D)."""
        straight = F.linear(embeddings, self._straight)
        if self._bent is None:
            return straight
        weight, bias, out = self._bent
        return straight + torch.tanh(F.linear(embeddings, weight, bias)) @ out

    def slopes(self, embeddings: Tensor, slopes: Tensor) -> Tensor:
        """(..., P, M) from the slopes (..., P, D) of embeddings (..., D)."""
        straight = self._straight.t()
        if self._bent is None:
            return slopes @ straight
        weight, bias, out = self._bent
        steepness = 1.0 - torch.tanh(F.linear(embeddings, weight, bias)).square()
        return slopes @ ((weight.t() * steepness[..., None, :]) @ out + straight)
