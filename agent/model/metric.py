"""A distance between embeddings that means travelling time, learned from the rollouts alone.

Plain embedding distance saturates: two poses far apart are all equally far. Diffusion geometry
offers one that does not. For a reversible random walk with eigenfunctions φ_i of rate λ_i, the
commute time between x and y is Σ_i (φ_i(x) − φ_i(y))² / λ_i (Qiu & Hancock 2007, "Clustering
and embedding using commute times", Sec. 3; Coifman & Lafon 2006 for the diffusion map). Linear
slow feature analysis (Wiskott & Sejnowski 2002, Sec. 3) finds the best linear stand-ins for φ_i
in the embedding: whitened directions v_i in order of how slowly they change, with
λ_i = E (v_i·(z_{t+lag} − z_t))².

Only the slowest directions are kept, as in a diffusion map: they tell far poses apart, and the
rest are fast harmonics or directions the embedding hardly uses, whose noise whitening would blow
up. (Kept whole, the metric would be the inverse covariance of the increments.)

Close to the goal those few directions are flat, with shallow dents of their own; there the plain
embedding distance is the better guide. A small share of it is added (:func:`goal_metric`): far
away it is nothing beside the commute time, at the goal it is all that matters.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


def slow_directions(episodes: Sequence[NDArray[np.floating]], lag: int) -> tuple[Matrix, Matrix]:
    """Rates λ (D,), rising, and whitened directions (D, D), one a column.

    Args:
        episodes: embeddings (T, D) of consecutive frames, one array an episode.
        lag: frames between the two ends of a difference.

    Raises:
        ValueError: if ``lag`` is below 1 or no episode is longer than ``lag`` frames.
    """
    if lag < 1:
        raise ValueError(f"expected lag >= 1, got {lag}")
    differences = [np.asarray(z[lag:] - z[:-lag], dtype=np.float64) for z in episodes]
    moved = np.concatenate(differences)
    if not len(moved):
        raise ValueError(f"expected an episode of more than lag={lag} frames, got none")
    everything = np.concatenate([np.asarray(z, dtype=np.float64) for z in episodes])
    covariance = np.cov(everything, rowvar=False).reshape(moved.shape[1], moved.shape[1])
    # Both sides: a direction that hardly varies would else look infinitely slow.
    rates, directions = scipy.linalg.eigh(
        _with_ridge(moved.T @ moved / len(moved)), _with_ridge(covariance)
    )
    return np.maximum(rates, 1e-9), directions


def _with_ridge(matrix: Matrix) -> Matrix:
    regular: Matrix = matrix + 1e-6 * np.trace(matrix) / len(matrix) * np.eye(len(matrix))
    return regular


def commute_time_metric(
    episodes: Sequence[NDArray[np.floating]], lag: int, directions: int
) -> Matrix:
    """Matrix M (D, ``directions``) with ‖(z − g)·M‖² ∝ linear commute time; ‖M‖² is D.

    Raises:
        ValueError: see :func:`slow_directions`; or on more directions than D.
    """
    rates, slowest = slow_directions(episodes, lag)
    if not 1 <= directions <= len(rates):
        raise ValueError(f"expected directions in 1..{len(rates)}, got {directions}")
    metric = (slowest / np.sqrt(rates))[:, :directions]
    scaled: Matrix = metric * np.sqrt(len(metric)) / np.linalg.norm(metric)
    return scaled


def commuting_features(
    episodes: Sequence[NDArray[np.floating]], lag: int, kept: int, variance: float
) -> Matrix:
    """Matrix (F, ``kept``) that makes features (T, F) a commute time of that total ``variance``.

    Raises:
        ValueError: see :func:`slow_directions`.
    """
    rates, slowest = slow_directions(episodes, lag)
    combining = (slowest / np.sqrt(rates))[:, :kept]
    spread = np.concatenate([features @ combining for features in episodes]).var(0).sum()
    scaled: Matrix = combining * np.sqrt(variance / spread)
    return scaled


def goal_metric(
    episodes: Sequence[NDArray[np.floating]], lag: int, directions: int, plain_share: float
) -> Matrix:
    """Matrix M (D, W): the commute time metric and, beside it, ``plain_share`` of plain distance.

    ‖(z − g)·M‖² = commute time + plain_share · ‖z − g‖², W is ``directions`` + D, or
    ``directions`` where ``plain_share`` is 0.

    Raises:
        ValueError: see :func:`commute_time_metric`.
    """
    commute = commute_time_metric(episodes, lag, directions)
    if not plain_share:
        return commute
    return np.hstack([commute, np.sqrt(plain_share) * np.eye(len(commute))])
