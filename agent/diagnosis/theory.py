"""What the theory asks of an embedding, and what it promises.

(Klindt, LeCun & Balestriero 2026, arXiv:2605.26379, Theorems 1 and 3, "the paper".) The setting is
pairs z, z' of an Ornstein-Uhlenbeck world z' = ρz + √(1−ρ²)·η and an encoder h of what is seen.
Arrays are (samples, dimensions) float64; an expectation is the mean over samples.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agent.errors import UserError

Array = NDArray[np.float64]
SAMPLES_PER_DIMENSION = 5  # fewer, and a linear map explains noise


def minimum_alignment(rho: float, dimensions: int) -> float:
    """2(1 − ρ)n: no encoder with identity covariance aligns better (Theorem 1)."""
    return 2 * (1 - rho) * dimensions


def error_bound(excess: float, whitening: float, rho: float) -> float:
    """D + (ε + D)² with D = δ/(2ρ(1 − ρ)): Theorem 3's bound on min_Q E‖h − Qz‖².

    UserError unless 0 < ρ < 1 and neither error is negative.
    """
    if not 0 < rho < 1 or excess < 0 or whitening < 0:
        raise UserError(
            "expected 0 < rho < 1 and errors of 0 or more, got "
            f"rho {rho}, excess alignment {excess}, whitening error {whitening}"
        )
    nonlinear = excess / (2 * rho * (1 - rho))
    return nonlinear + (whitening + nonlinear) ** 2


def alignment(embeddings: Array, partners: Array) -> float:
    """E‖h(z') − h(z)‖², the loss of the paper without its regulariser.

    UserError for too few samples, lengths or dimensions that differ, or NaN.
    """
    h, partner = checked("embeddings", embeddings), checked("partners", partners)
    if h.shape != partner.shape:
        raise UserError(f"expected partners of shape {h.shape}, got {partner.shape}")
    return float(((partner - h) ** 2).sum(1).mean())


def whitening_error(embeddings: Array) -> float:
    """ε = ‖Cov(h) − I‖_F (the paper, Theorem 3); UserError for too few samples or NaN."""
    h = checked("embeddings", embeddings)
    covariance = np.atleast_2d(np.cov(h.T))
    return float(np.linalg.norm(covariance - np.eye(h.shape[1])))


def checked(name: str, values: Array) -> Array:
    """``values`` (samples, dimensions) as float64; UserError unless enough of them, all finite."""
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 2:
        raise UserError(f"expected {name} (samples, dimensions), got shape {values.shape}")
    samples, dimensions = values.shape
    needed = SAMPLES_PER_DIMENSION * dimensions
    if samples < needed:
        raise UserError(
            f"expected {needed} samples or more of {name} with {dimensions} dimensions, got "
            f"{samples}: take more episodes, or longer ones"
        )
    if not np.isfinite(values).all():
        at = np.argwhere(~np.isfinite(values))[0]
        raise UserError(f"expected finite {name}, got {values[tuple(at)]} in row {at[0]}")
    return values
