"""Are the rows Gaussian? Sliced Epps-Pulley, Mardia's skewness and kurtosis, exact p-values.

All three are computed on whitened samples and so do not change under invertible linear maps: for
Gaussian data their law depends on the number of samples and of directions alone. We draw from
that law instead of trusting its asymptotics, which fail when n is not far above R².

Epps-Pulley: Epps & Pulley 1983, Biometrika 70; sliced as in SIGReg (Balestriero & LeCun 2025,
arXiv:2511.08544, Sec. 4). Mardia 1970, Biometrika 57.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from agent.diagnosis.thinning import Sample
from agent.diagnosis.trajectories import Trajectories
from agent.interfaces import Array

DRAWS = 299  # from the null law; the smallest p-value is 1/300
SLICES = 32  # random directions beside the columns themselves
SAMPLES_A_DIRECTION = 5  # fewer samples than that are tested in their widest directions only
_KNOTS = np.linspace(0.0, 3.0, 17)  # as SIGReg's
_TARGET = np.exp(-(_KNOTS**2) / 2)
_WEIGHTS = np.where(np.isin(_KNOTS, (0.0, 3.0)), 0.5, 1.0) * 2 * _KNOTS[1] * _TARGET


@dataclass(frozen=True)
class Gaussianity:
    """p-values of the three tests, and what all rows show, slice by slice.

    ``distance`` is the root of the mean Epps-Pulley integral: 0 for a Gaussian, 0.13 for a
    uniform or a Laplace law, 0.28 for an exponential one. ``skewness`` and ``excess_kurtosis``
    (S,) are of each column, then of each random slice; ``tested`` directions entered the tests.
    """

    p_shape: float
    p_skewness: float
    p_kurtosis: float
    distance: float
    skewness: Array
    excess_kurtosis: Array
    tested: int


def gaussianity(data: Trajectories, sample: Sample, rng: np.random.Generator) -> Gaussianity:
    """Test ``data`` on the independent ``sample``; describe it on all rows."""
    slices = _slices(data, rng)
    everything = _standard(data.white.reshape(-1, data.frame.alive) @ slices)
    tested = min(data.frame.alive, max(1, len(sample) // SAMPLES_A_DIRECTION))
    white = sample.take(data.white)[:, :tested]
    p_shape, p_skewness, p_kurtosis = _p_values(white, _unit(slices[:tested]), rng)
    return Gaussianity(
        p_shape,
        p_skewness,
        p_kurtosis,
        distance=float(np.sqrt(np.maximum(_integrals(everything), 0).mean())),
        skewness=(everything**3).mean(0),
        excess_kurtosis=(everything**4).mean(0) - 3,
        tested=tested,
    )


def statistics(rows: Array, slices: Array) -> Array:
    """Sliced Epps-Pulley, Mardia's skewness and kurtosis (3,) of ``rows`` (n, R), whitened here."""
    centred = rows - rows.mean(0)
    spectrum, axes = np.linalg.eigh(centred.T @ centred / len(rows))
    inverse_root = (axes / np.sqrt(np.maximum(spectrum, 1e-12))) @ axes.T
    white = centred @ inverse_root
    gram = white @ white.T
    shape = len(rows) * _integrals(white @ slices).mean()
    return np.array([shape, np.mean(gram * gram * gram), np.mean(np.diag(gram) ** 2)])


def _p_values(white: Array, slices: Array, rng: np.random.Generator) -> tuple[float, float, float]:
    found = statistics(white, slices)
    null = np.array([statistics(rng.standard_normal(white.shape), slices) for _ in range(DRAWS)])
    above = (1 + (null >= found).sum(0)) / (DRAWS + 1)
    below = (1 + (null <= found).sum(0)) / (DRAWS + 1)
    two_sided = min(1.0, 2 * float(min(above[2], below[2])))
    return float(above[0]), float(above[1]), two_sided


def _slices(data: Trajectories, rng: np.random.Generator) -> Array:
    """The columns as directions of the whitened frame, then random ones: (R, D + SLICES)."""
    columns = np.linalg.pinv(data.frame.map)  # (R, D): white @ columns are centred values
    random = rng.standard_normal((data.frame.alive, SLICES))
    return _unit(np.concatenate([columns, random], 1))


def _unit(directions: Array) -> Array:
    unit: Array = directions / np.maximum(np.linalg.norm(directions, axis=0), 1e-12)
    return unit


def _standard(rows: Array) -> Array:
    standard: Array = (rows - rows.mean(0)) / np.maximum(rows.std(0), 1e-12)
    return standard


def _integrals(projections: Array) -> Array:
    """∫|φ̂(t) − exp(−t²/2)|² exp(−t²/2) dt of each column of (n, S): (S,)."""
    turn = np.exp(1j * _KNOTS[1] * projections)
    total = np.zeros(projections.shape[1])
    power = np.ones_like(turn)
    for weight, target in zip(_WEIGHTS, _TARGET, strict=True):
        total += weight * np.abs(power.mean(0) - target) ** 2
        power = power * turn  # knots are equally spaced, so exp(i·t·x) is a power
    return total
