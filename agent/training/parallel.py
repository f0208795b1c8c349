"""A model on several ranks: one loss over all of them, one BatchNorm over all parts of a batch."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parallel import DistributedDataParallel

from agent.model.world_model import TAUGHT_LATER, WorldModel
from agent.training import ranks
from agent.training.objective import LossTerms

Loss = Callable[..., LossTerms]


class BatchNormOverRanks(_BatchNorm):
    """BatchNorm whose mean and variance are those of the parts of all ranks.

    torch's own SyncBatchNorm does the same on GPUs alone.
    """

    def _check_input_dim(self, input: Tensor) -> None:
        """Any (N, C, ...)."""

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, ...) to the same shape; every rank has as many rows."""
        if not self.training:
            return super().forward(input)
        values = input.float()
        axes = [axis for axis in range(values.ndim) if axis != 1]
        shape = [1, -1] + [1] * (values.ndim - 2)
        parts = ranks.each(torch.stack([values.mean(axes), values.var(axes, correction=0)]))
        means, variances = parts.unbind(1)  # (ranks, C)
        mean = means.mean(0)
        variance = variances.mean(0) + (means - mean).square().mean(0)
        self._remember(mean, variance, ranks.count() * values.numel() / values.shape[1])
        normed = (values - mean.reshape(shape)) * (variance + self.eps).rsqrt().reshape(shape)
        if self.affine:
            normed = normed * self.weight.reshape(shape) + self.bias.reshape(shape)
        return normed.to(input.dtype)

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor, samples: float) -> None:
        assert self.running_mean is not None and self.running_var is not None
        assert self.num_batches_tracked is not None and self.momentum is not None
        self.num_batches_tracked.add_(1)
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance * samples / max(1.0, samples - 1), self.momentum)


def norms_over_ranks(model: nn.Module) -> None:
    """Let every BatchNorm of ``model`` see the whole batch; weights and their names stay."""
    if ranks.count() > 1:
        for norm in model.modules():
            if isinstance(norm, _BatchNorm):
                norm.__class__ = BatchNormOverRanks  # which has no state of its own


def loss_over_ranks(loss: Loss, model: WorldModel, without: str = TAUGHT_LATER[0]) -> Loss:
    """``loss(model, …)`` as a function of the rest.

    With several ranks gradients are the mean of all of theirs when ``backward`` ends (native
    DistributedDataParallel); ``model`` begins there as the first rank has it. The loss tells
    nothing to parameters whose names begin with ``without``, nor to what one rank teaches later.
    """
    if ranks.count() == 1:
        return partial(loss, model)
    whole = _Loss(loss, model)
    names = [
        name for name, _ in model.named_parameters() if name.startswith((*TAUGHT_LATER, without))
    ]
    ignored = [f"model.{name}" for name in names]
    DistributedDataParallel._set_params_and_buffers_to_ignore_for_model(  # type: ignore[no-untyped-call]
        whole, ignored
    )
    shared = DistributedDataParallel(whole)
    shared.broadcast_buffers = False  # after the start they are the same of themselves
    return shared


class _Loss(nn.Module):
    """A loss that calls several parts of a model, as the one forward pass that DDP asks for."""

    def __init__(self, loss: Loss, model: WorldModel) -> None:
        super().__init__()
        self.loss, self.model = loss, model

    def forward(self, *given: Any) -> LossTerms:
        return self.loss(self.model, *given)
