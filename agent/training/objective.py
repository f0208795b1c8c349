"""The LeJEPA loss: predict the next embedding, keep embeddings Gaussian.

    loss = one-step error + multi-step error + λ · SIGReg(z)

Both errors are mean squared and nothing stops the gradient into the target: SIGReg alone keeps
the embedding from collapsing (Balestriero & LeCun 2025, arXiv:2511.08544, Sec. 5; Maes et al.
2026, arXiv:2603.19312, Sec. 3). The multi-step error feeds predictions back, so that the model
is trained on what the planner will ask of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from agent.model.sigreg import SIGReg
from agent.model.world_model import WorldModel


@dataclass(frozen=True)
class LossTerms:
    """Scalars of one batch; ``total`` is what is minimised."""

    total: Tensor
    one_step: Tensor
    multi_step: Tensor
    sigreg: Tensor


def lejepa_loss(
    model: WorldModel,
    sigreg: SIGReg,
    frames: Tensor,
    actions: Tensor,
    sigreg_weight: float,
    generator: torch.Generator | None = None,
) -> LossTerms:
    """Loss of windows ``frames`` uint8 (B, T, h, w, 3) and ``actions`` (B, T-1, K*A)."""
    embeddings = model.encode(frames)  # (B, T, D)
    one_step = F.mse_loss(
        teacher_forced(model, embeddings, actions), embeddings[:, model.context :]
    )
    free = free_running(model, embeddings, actions)
    multi_step = F.mse_loss(free, embeddings[:, model.context :])
    statistic = sigreg(embeddings.flatten(0, 1), generator)
    total = one_step + multi_step + sigreg_weight * statistic
    return LossTerms(total, one_step, multi_step, statistic)


def teacher_forced(model: WorldModel, embeddings: Tensor, actions: Tensor) -> Tensor:
    """One-step predictions (B, T-L, D) of frames L..T-1, each from the true L before it."""
    context = model.context
    windows = embeddings.unfold(1, context, 1).transpose(-1, -2)[:, :-1]  # (B, T-L, L, D)
    blocks = actions.unfold(1, context, 1).transpose(-1, -2)  # (B, T-L, L, K*A)
    predicted: Tensor = model.predictor(windows, blocks)
    return predicted


def free_running(model: WorldModel, embeddings: Tensor, actions: Tensor) -> Tensor:
    """Predictions (B, T-L, D) of the same frames, fed back from the first L alone."""
    context = model.context
    predicted = model.rollout(
        embeddings[:, :context], actions[:, : context - 1], actions[:, None, context - 1 :]
    )
    return predicted[:, 0]
