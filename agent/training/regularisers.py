"""What keeps an embedding from collapsing: SIGReg in two manners, or VICReg in its place.

``sigreg`` judges all frames of a batch as one sample; ``sigreg-per-step`` judges the frames of
each time in the window on their own and takes the mean, as LeWorldModel does (Maes et al. 2026,
arXiv:2603.19312, Sec. 3). ``vicreg`` asks for unit variance and no correlation, and for no more:
the variance and covariance terms of Bardes, Ponce & LeCun 2022, arXiv:2105.04906, Sec. 4.1.

A sample is the whole batch, also where several ranks have a part of it each.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from agent.model.sigreg import SIGReg
from agent.training import ranks
from agent.training.settings import TrainingConfig

Regulariser = Callable[[Tensor, torch.Generator | None], Tensor]
"""Embeddings (B, T, D) to a scalar; what is random comes from the generator."""

VARIANCE_TARGET, VARIANCE_FLOOR = 1.0, 1e-4  # γ and ε of the paper
COVARIANCE_SHARE = 1.0 / 25.0  # the paper weighs variance 25 and covariance 1


def make_regulariser(config: TrainingConfig) -> Regulariser:
    """The regulariser that ``config.regulariser`` names."""
    if config.regulariser == "vicreg":
        return vicreg
    everywhere = SIGReg(config.sigreg_directions, ranks=ranks.count(), mean=ranks.mean)
    statistic = everywhere.to(config.device)
    if config.regulariser == "sigreg":
        return lambda embeddings, generator: statistic(embeddings.flatten(0, 1), generator)

    def per_step(embeddings: Tensor, generator: torch.Generator | None) -> Tensor:
        times = [statistic(frames, generator) for frames in embeddings.unbind(1)]
        return torch.stack(times).mean()

    return per_step


def weight_at(step: int, config: TrainingConfig) -> float:
    """λ at training step ``step``: it falls linearly over the main part."""
    main = config.main_steps
    done = max(0, step - main.start) / max(1, len(main) - 1)
    return config.sigreg_weight * (1 - done * (1 - config.sigreg_fade))


def vicreg(embeddings: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Variance term + covariance term / 25 of ``embeddings`` (B, T, D), all frames one sample."""
    flat = embeddings.flatten(0, 1)
    return variance_term(flat) + COVARIANCE_SHARE * covariance_term(flat)


def variance_term(embeddings: Tensor) -> Tensor:
    """Mean over D of how far each standard deviation of ``embeddings`` (N, D) is below 1."""
    centred, freedom = _centred(embeddings)
    variance = ranks.mean(centred.square().sum(0)) / freedom
    spread = (variance + VARIANCE_FLOOR).sqrt()
    return (VARIANCE_TARGET - spread).clamp_min(0.0).mean()


def covariance_term(embeddings: Tensor) -> Tensor:
    """Sum of the squared off-diagonal covariances of ``embeddings`` (N, D), divided by D."""
    centred, freedom = _centred(embeddings)
    covariance = ranks.mean(centred.T @ centred) / freedom
    squares: Tensor = covariance.square().sum() - covariance.diagonal().square().sum()
    return squares / embeddings.shape[1]


def _centred(embeddings: Tensor) -> tuple[Tensor, float]:
    """(N, D) around the mean of all ranks, and what a rank's mean sum of squares is divided by."""
    samples = len(embeddings) * ranks.count()
    return embeddings - ranks.mean(embeddings.mean(0)), (samples - 1) / ranks.count()
