"""Do all directions forget equally fast?

The eigenvalues ρ_k of the correlation between a row and the next, in whitened coordinates, say
how much of each direction survives a step; −ln ρ_k is its rate. The square of a direction with
rate r changes at rate 2r (Hermite: a feature of degree d decays as ρ^d). Where the fastest rate is
more than twice the slowest, that square is *steadier* than the fastest direction itself, and an
encoder that looks for steady features prefers it: the theory's predicted failure (Klindt, LeCun
& Balestriero 2026, arXiv:2605.26379, one shared ρ).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from agent.diagnosis.thinning import Sample
from agent.diagnosis.trajectories import Trajectories
from agent.diagnosis.verdict import SIGNIFICANT
from agent.interfaces import Array

DRAWS = 299
PREDICTED_FAILURE = 2.0  # ratio of rates


@dataclass(frozen=True)
class Rates:
    """Correlations ``rho`` (R,) of one step, falling, and the ratio of the extreme rates.

    ``ratio`` is infinite where a direction is forgotten within a step. ``p_equal``: of one ρ.
    """

    rho: Array
    ratio: float
    p_equal: float

    @property
    def shared(self) -> float:
        """The one ρ, where nothing speaks against it; else the largest."""
        rho = self.rho.mean() if self.p_equal > SIGNIFICANT else self.rho.max()
        return float(np.clip(rho, 1e-6, 1 - 1e-6))


def rates(data: Trajectories, sample: Sample, rng: np.random.Generator) -> Rates:
    """Eigenvalues over all rows; equality tested on the independent ``sample`` of pairs."""
    now = data.white[:, :-1].reshape(-1, data.frame.alive)
    following = data.white_following.reshape(-1, data.frame.alive)
    rho = lag_correlations(now, following)
    p_equal = _p_equal(sample.take(data.white[:, :-1]), sample.take(data.white_following), rng)
    return Rates(rho, rate_ratio(rho), p_equal)


def lag_correlations(now: Array, following: Array) -> Array:
    """Eigenvalues (R,), falling, of the correlation of ``now`` with ``following``, (n, R) each.

    Taken from the steps between them, I − E[ΔΔᵀ]/2 in whitened coordinates: the same in a
    stationary world, and right for an angle that goes round.
    """
    mean, steps = now.mean(0), following - now
    root = np.linalg.inv(np.linalg.cholesky((now - mean).T @ (now - mean) / len(now)))
    lost = np.linalg.eigvalsh(root @ (steps.T @ steps / len(steps)) @ root.T)
    return np.asarray(1 - lost / 2, dtype=np.float64)


def rate_ratio(rho: Array) -> float:
    """Fastest rate over slowest, −ln ρ each."""
    if rho.min() <= 0:
        return float("inf")
    rate = -np.log(np.minimum(rho, 1 - 1e-9))
    return float(rate.max() / rate.min())


def _p_equal(now: Array, following: Array, rng: np.random.Generator) -> float:
    """p-value of one ρ for all: the spread of its eigenvalues against that of Gaussian pairs."""
    most = max(1, len(now) // 5)  # more directions than that leave no spread to speak of
    now, following = now[:, :most], following[:, :most]
    if now.shape[1] == 1:
        return 1.0
    found = lag_correlations(now, following)
    shared = float(np.clip(found.mean(), -1, 1))
    null = [_null_spread(now.shape, shared, rng) for _ in range(DRAWS)]
    return float((1 + (np.array(null) >= np.ptp(found)).sum()) / (DRAWS + 1))


def _null_spread(shape: tuple[int, ...], rho: float, rng: np.random.Generator) -> float:
    now = rng.standard_normal(shape)
    following = rho * now + np.sqrt(1 - rho**2) * rng.standard_normal(shape)
    return float(np.ptp(lag_correlations(now, following)))
