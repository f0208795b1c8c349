"""The theory's own objective, first: what an encoder learns from pairs of frames alone.

Where two frames a short time apart are a positive pair and embeddings are white, the embedding
that moves least between them is a linear function of the world's slow coordinates ("When Does
LeJEPA Learn a World Model?", arXiv:2605.26379, Sec. 3; slow feature analysis, Wiskott & Sejnowski
2002). Some hundred steps of it, before anything is predicted, lay out the whole world at once:
what joint training then makes exact. Without them its geometry far from a goal comes last.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

_RIDGE = 1e-4  # of unit variance; directions that hardly vary are not blown up


def alignment(embeddings: Tensor, lags: Sequence[int]) -> Tensor:
    """How far whitened ``embeddings`` (B, T, D) move in ``lags`` frames: mean squared, a scalar.

    2 where there is nothing to be told of the later frame from the earlier one.

    Raises:
        ValueError: if a lag is not in 1..T-1.
    """
    frames = embeddings.shape[1]
    if not all(1 <= lag < frames for lag in lags):
        raise ValueError(f"expected lags in 1..{frames - 1}, got {tuple(lags)}")
    white = whitened(embeddings.flatten(0, 1)).reshape(embeddings.shape)
    moved = [(white[:, lag:] - white[:, :-lag]).flatten() for lag in lags]
    return torch.cat(moved).square().mean()


def whitened(embeddings: Tensor) -> Tensor:
    """``embeddings`` (N, D) with mean zero and, by the batch's own covariance, unit covariance."""
    centred = embeddings - embeddings.mean(0)
    size = embeddings.shape[1]
    covariance = centred.T @ centred / len(centred) + _RIDGE * torch.eye(size).to(centred)
    root = torch.linalg.cholesky(covariance)
    white: Tensor = torch.linalg.solve_triangular(root, centred.T, upper=False).T
    return white
