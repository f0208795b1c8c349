"""The theory's own objective, first: what an encoder learns from pairs of frames alone.

Where two frames a short time apart are a positive pair and embeddings are white, the embedding
that moves least between them is a linear function of the world's slow coordinates ("When Does
LeJEPA Learn a World Model?", arXiv:2605.26379, Sec. 3; slow feature analysis, Wiskott & Sejnowski
2002). Some hundred steps of it, before anything is predicted, lay out the whole world at once:
what training both networks then makes exact. Without them its geometry far from a goal comes last.
"""

from __future__ import annotations

import torch
from torch import Tensor

from agent.training import ranks

_RIDGE = 1e-4  # of unit variance; directions that hardly vary are not blown up


def alignment(pairs: Tensor, alone: bool = False) -> Tensor:
    """How far whitened embeddings move between the two ends of ``pairs`` (P, 2, D), a scalar.

    Mean squared; 2 where nothing can be told of the later frame from the earlier one. ``alone``:
    other ranks have no part in it.
    """
    white = whitened(pairs.flatten(0, 1), alone).reshape(pairs.shape)
    return (white[:, 1] - white[:, 0]).square().mean()


def whitened(embeddings: Tensor, alone: bool = False) -> Tensor:
    """``embeddings`` (N, D) with mean zero and, by the covariance of the batch of
    all ranks, or of this one ``alone``, unit covariance."""
    mean, size = (_as_it_is if alone else ranks.mean), embeddings.shape[1]
    centred = embeddings - mean(embeddings.mean(0))
    covariance = mean(centred.T @ centred / len(centred))
    covariance = covariance + _RIDGE * torch.eye(size).to(centred)
    root = torch.linalg.cholesky(covariance)
    white: Tensor = torch.linalg.solve_triangular(root, centred.T, upper=False).T
    return white


def _as_it_is(value: Tensor) -> Tensor:
    return value
