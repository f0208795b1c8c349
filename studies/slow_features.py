"""The best that slowness allows on a motion: no encoder and no picture, the joints themselves.

Aligned pairs and whitened outputs ask for the D functions of the world that change least: slow
feature analysis (Wiskott & Sejnowski 2002, Neural Computation 14). Among combinations of many
known functions of the joints they are the answer of an eigenvalue problem. What a straight line
reads from *them* is what the objective has at its optimum, with any network: short of it is
training, and short of 1 is the motion.
"""

from __future__ import annotations

from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from agent.interfaces import Array
from envs.reacher.angles import WRIST_LIMIT_RAD

_RIDGE = 1e-6
_HARMONICS, _COSINES, _DEGREE = 6, 9, 4


def slowest(first: Array, second: Array, count: int) -> Array:
    """Weights (K, count) of the ``count`` slowest combinations of K functions.

    ``first`` and ``second`` (N, K) are their values on both members of each pair. The combinations
    have unit variance, are uncorrelated, and come in the order of E|step|², the least first.
    """
    both = np.concatenate([first, second])
    spread = np.cov(both.T)
    spread += _RIDGE * np.trace(spread) / len(spread) * np.eye(len(spread))
    step = second - first
    found = eigh(step.T @ step / len(step), spread, subset_by_index=(0, count - 1))[1]
    return np.asarray(found, np.float64)


def of_circle_and_interval(angles_rad: NDArray[np.floating]) -> Array:
    """(N, 2) angles to (N, 129) functions: a shoulder that turns and a wrist between its limits.

    Products of a constant and 6 harmonics of the one and of a constant and 9 cosines of the other,
    level at both ends of its range, without the constant product.
    """
    shoulder, wrist = angles_rad.T
    turns = np.arange(1, _HARMONICS + 1) * shoulder[:, None]
    around = np.concatenate([np.ones((len(shoulder), 1)), np.sin(turns), np.cos(turns)], 1)
    share = (wrist + WRIST_LIMIT_RAD) / (2 * WRIST_LIMIT_RAD)
    along = np.cos(np.pi * np.arange(_COSINES + 1) * share[:, None])
    products = around[:, :, None] * along[:, None, :]
    return products.reshape(len(shoulder), -1)[:, 1:]


def of_lines(angles_rad: NDArray[np.floating]) -> Array:
    """(N, 2) angles to (N, 14) functions: their monomials up to degree 4."""
    columns = [
        np.prod(angles_rad[:, list(which)], axis=1)
        for degree in range(1, _DEGREE + 1)
        for which in combinations_with_replacement((0, 1), degree)
    ]
    return np.stack(columns, 1).astype(np.float64)
