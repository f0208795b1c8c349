"""The LeJEPA loss: predict the next embedding, keep embeddings Gaussian.

    loss = one-step error + multi-step error + λ · SIGReg(z)

Both errors are mean squared and nothing stops the gradient into the target: SIGReg alone keeps
the embedding from collapsing (Balestriero & LeCun 2025, arXiv:2511.08544, Sec. 5; Maes et al.
2026, arXiv:2603.19312, Sec. 3). The multi-step error feeds predictions back, so that the model
is trained on what the planner will ask of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from agent.model.transformer import TransformerPredictor
from agent.model.world_model import WorldModel
from agent.training.regularisers import Regulariser
from agent.training.warm_start import alignment


@dataclass(frozen=True)
class LossTerms:
    """Scalars of one batch; ``total`` is what is minimised.

    ``sigreg`` is the regulariser's value, whichever it is; ``multi_step`` is 0 where the recipe
    has none. NaN is what was not asked for.
    """

    total: Tensor
    one_step: Tensor
    multi_step: Tensor
    sigreg: Tensor

    def values(self) -> tuple[float, ...]:
        """Total, one-step, multi-step and regulariser, as numbers."""
        terms = (self.total, self.one_step, self.multi_step, self.sigreg)
        return tuple(float(term.detach()) for term in terms)


def warm_start_loss(model: WorldModel, frames: Tensor) -> LossTerms:
    """Loss of pairs of ``frames`` uint8 (P, 2, h, w, 3), before anything is predicted."""
    embeddings = model.encode(frames).float()
    with torch.autocast(embeddings.device.type, enabled=False):
        total = alignment(embeddings)
    absent = total.new_tensor(torch.nan)
    return LossTerms(total, absent, absent, absent)


def regularised_loss(
    model: WorldModel,
    regulariser: Regulariser,
    frames: Tensor,
    actions: Tensor,
    weight: float,
    generator: torch.Generator | None = None,
    multi_step: bool = True,
) -> LossTerms:
    """Loss of windows ``frames`` uint8 (B, T, h, w, 3) and ``actions`` (B, T-1, K*A).

    ``weight`` is λ, of whichever ``regulariser``; ``multi_step``: with that error or without.
    """
    embeddings = model.encode(frames).float()  # (B, T, D)
    found = prediction_loss(model, embeddings, actions, multi_step)
    with torch.autocast(embeddings.device.type, enabled=False):
        statistic = regulariser(embeddings, generator)
    return replace(found, total=found.total + weight * statistic, sigreg=statistic)


def prediction_loss(
    model: WorldModel, embeddings: Tensor, actions: Tensor, multi_step: bool = True
) -> LossTerms:
    """Both errors of predictions of ``embeddings`` (B, T, D) after ``actions`` (B, T-1, K*A)."""
    one_step = one_step_error(model, embeddings, actions, every_frame=not multi_step)
    several = one_step.new_zeros(())
    if multi_step:
        free = free_running(model, embeddings, actions)
        several = F.mse_loss(free, embeddings[:, model.context :])
    absent = one_step.new_tensor(torch.nan)
    return LossTerms(one_step + several, one_step, several, absent)


def one_step_error(
    model: WorldModel, embeddings: Tensor, actions: Tensor, every_frame: bool
) -> Tensor:
    """Mean squared error of one-step predictions of ``embeddings`` (B, T, D).

    ``every_frame``: a predictor that can learns after each of the L frames it is shown, and not
    only after the last (Maes et al. 2026, Sec. 3).
    """
    predictor, context = model.predictor, model.context
    if not every_frame or not isinstance(predictor, TransformerPredictor):
        forced = teacher_forced(model, embeddings, actions)
        return F.mse_loss(forced, embeddings[:, context:])
    windows = embeddings.unfold(1, context, 1).transpose(-1, -2)  # (B, T-L+1, L, D)
    blocks = actions.unfold(1, context, 1).transpose(-1, -2)  # (B, T-L, L, K*A)
    return F.mse_loss(predictor.each_step(windows[:, :-1], blocks), windows[:, 1:])


def teacher_forced(model: WorldModel, embeddings: Tensor, actions: Tensor) -> Tensor:
    """One-step predictions (B, T-L, D) of frames L..T-1, each from the true L before it."""
    context = model.context
    windows = embeddings.unfold(1, context, 1).transpose(-1, -2)[:, :-1]  # (B, T-L, L, D)
    blocks = actions.unfold(1, context, 1).transpose(-1, -2)  # (B, T-L, L, K*A)
    predicted: Tensor = model.predictor(windows, blocks)
    return predicted


def free_running(model: WorldModel, embeddings: Tensor, actions: Tensor) -> Tensor:
    """Predictions (B, T-L, D) of the same frames, fed back from the first L alone."""
    return model.ahead(embeddings[:, : model.context], actions)
