"""How well an embedding h recovers the latents z, and the quantities of the theory.

The setting is Klindt, LeCun & Balestriero 2026, arXiv:2605.26379 ("the paper"): pairs z, z' of an
Ornstein-Uhlenbeck world z' = ρz + √(1−ρ²)·η and an encoder h of the observations. Arrays are
(samples, dimensions) float64; an expectation is the mean over samples.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.diagnosis.promise import checked
from agent.errors import UserError

Array = NDArray[np.float64]


def linear_r2(inputs: Array, targets: Array) -> float:
    """Share of the targets' variance that the best affine map of ``inputs`` explains, at most 1.

    R² = 1 − E‖t − (Wx + b)‖² / E‖t − E t‖², pooled over target dimensions and fitted on the same
    samples (Hastie, Tibshirani & Friedman 2009, Sec. 3.2). Both ways are of interest: h → z asks
    whether the latents can be read off, z → h whether the embedding holds anything else.

    Raises:
        UserError: for too few samples, a constant target, lengths that differ, or NaN.
    """
    inputs, targets = checked("inputs", inputs), checked("targets", targets)
    _same_length(inputs, targets)
    _varies("targets", targets)
    x, t = inputs - inputs.mean(0), targets - targets.mean(0)
    weights = np.linalg.lstsq(x, t, rcond=None)[0]
    return float(1 - ((t - x @ weights) ** 2).sum() / (t**2).sum())


def orthogonality_error(latents: Array, embeddings: Array) -> float:
    """‖WᵀW − I‖_F / √n for the least-squares map W: z → h; 0 for a rotation or a reflection.

    The theorem promises h = Qz with QᵀQ = I (the paper, Theorem 1).

    Raises:
        UserError: as :func:`linear_r2`.
    """
    z, h = checked("latents", latents), checked("embeddings", embeddings)
    _same_length(z, h)
    _varies("latents", z)
    weights = np.linalg.lstsq(z - z.mean(0), h - h.mean(0), rcond=None)[0]
    n = z.shape[1]
    return float(np.linalg.norm(weights @ weights.T - np.eye(n)) / np.sqrt(n))


def procrustes_residuals(latents: Array, embeddings: Array) -> Array:
    """‖h − Qz‖² of each sample (samples,), for the orthogonal Q with the least mean.

    Q is UVᵀ of the singular value decomposition of E[hzᵀ] (Schönemann 1966).

    Raises:
        UserError: as :func:`linear_r2`, and if the dimensions differ.
    """
    z, h = checked("latents", latents), checked("embeddings", embeddings)
    _same_length(z, h)
    if z.shape[1] != h.shape[1]:
        raise UserError(
            f"expected embeddings of the latents' dimension {z.shape[1]}, got {h.shape[1]}: a "
            "rotation needs both alike"
        )
    left, _, right = np.linalg.svd(h.T @ z)
    return np.asarray(((h - z @ (left @ right).T) ** 2).sum(1), dtype=np.float64)


def procrustes_error(latents: Array, embeddings: Array) -> float:
    """min over orthogonal Q of E‖h − Qz‖², the left side of the approximate theorem's bound.

    Raises:
        UserError: as :func:`procrustes_residuals`.
    """
    return float(procrustes_residuals(latents, embeddings).mean())


def rotation_r2(embeddings: Array, latents: Array) -> float:
    """Share of the latents' variance that a rotation or reflection of ``embeddings`` explains.

    1 − min_Q E‖h − Qz‖² / E‖z − E z‖², which is below :func:`linear_r2` by what has to be
    stretched: the theorem promises a rotation, and plain distance is the world's own under no more.

    Raises:
        UserError: as :func:`procrustes_residuals`, and for a constant latent.
    """
    h, z = checked("embeddings", embeddings), checked("latents", latents)
    _varies("latents", z)
    z = z - z.mean(0)
    return 1 - procrustes_error(z, h - h.mean(0)) / float((z**2).sum(1).mean())


def mean_correlation(latents: Array, embeddings: Array) -> float:
    """MCC: mean |correlation| of latents and embedding coordinates under the best matching.

    Hyvärinen & Morioka 2016, arXiv:1605.06336. It is 1 only if every latent has a coordinate of
    its own, so a rotation that is perfect for us scores less: ICA promises more, LeJEPA does not.

    Raises:
        UserError: as :func:`linear_r2`, and for a constant embedding column.
    """
    z, h = checked("latents", latents), checked("embeddings", embeddings)
    _same_length(z, h)
    _varies("latents", z)
    _varies("embeddings", h)
    correlation = np.abs(_standardised(z).T @ _standardised(h)) / len(z)
    optimise: Any = importlib.import_module("scipy.optimize")
    rows, columns = optimise.linear_sum_assignment(-correlation)
    return float(correlation[rows, columns].mean())


def _same_length(first: Array, second: Array) -> None:
    if len(first) != len(second):
        raise UserError(f"expected as many rows in both arrays, got {len(first)} and {len(second)}")


def _varies(name: str, values: Array) -> None:
    constant = np.flatnonzero(np.ptp(values, axis=0) == 0)
    if len(constant):
        raise UserError(
            f"expected {name} that vary, got a constant column {constant[0]}: leave it out"
        )


def _standardised(values: Array) -> Array:
    centred = values - values.mean(0)
    return np.asarray(centred / centred.std(0), dtype=np.float64)
