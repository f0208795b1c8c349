"""How near the covariance is to the identity, how many directions are used, what follows.

The approximate theorem (Klindt, LeCun & Balestriero 2026, arXiv:2605.26379, Theorems 1 and 3,
"the paper") is of pairs z, z' of a world z' = ρz + √(1−ρ²)·η and an encoder h. With excess
alignment δ and whitening error ε = ‖Cov(h) − I‖_F, some orthogonal Q has

    E‖h − Qz‖² ≤ D + (ε + D)²,    D = δ / (2ρ(1 − ρ)).

It needs the world's ρ, which the data do not tell. No feature outlasts the world's own variables,
so the largest lag correlation of any direction is a lower limit of it (their mean serves where
they may well be equal); with ρ there, δ = 0 for directions that all survive equally. The bound so
found is what the theorem promises at best; at 2n it promises nothing, since unrelated vectors of
unit variance are that far apart. Arrays of embeddings are (samples, dimensions) float64; an
expectation is the mean over samples.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import entr

from agent.diagnosis.thinning import Sample
from agent.diagnosis.trajectories import Trajectories
from agent.errors import UserError
from agent.interfaces import Array

DRAWS = 499
SAMPLES_PER_DIMENSION = 5  # fewer, and a linear map explains noise


@dataclass(frozen=True)
class Promise:
    """ε and its p-value, spectrum, and the bound with its parts.

    ``epsilon`` is of all directions, dead ones included; ``p_identity`` is that of Cov = I.
    ``effective_rank`` is the exponential of the spectrum's entropy (Roy & Vetterli 2007).
    ``scale`` is the standard deviation of the narrowest and of the widest direction.
    """

    epsilon: float
    p_identity: float | None
    scale: tuple[float, float]
    spectrum: Array
    effective_rank: float
    alive: int
    delta: float
    d: float
    bound: float

    @property
    def share(self) -> float:
        """The bound over 2n: 0 is a perfect promise, 1 and more is none."""
        return self.bound / (2 * len(self.spectrum))


def promise(data: Trajectories, sample: Sample, rho: float, rng: np.random.Generator) -> Promise:
    """What ``data`` of a world with the shared correlation ``rho`` are promised."""
    dimension = len(data.columns)
    flat = data.values.reshape(-1, dimension)
    epsilon = whitening_error(flat)
    moved = float(((data.following - data.values[:, :-1]) ** 2).sum(-1).mean())
    # As much variance as there is must move at least so much (Theorem 1; see studies/theory.py).
    least = 2 * (1 - rho) * float(np.trace(data.frame.covariance))
    delta = max(0.0, moved - least)
    spectrum = data.frame.spectrum
    share = np.maximum(spectrum, 0) / np.maximum(spectrum, 0).sum()
    return Promise(
        epsilon,
        _p_identity(sample.take(data.values - data.frame.mean), rng),
        (float(np.sqrt(max(spectrum[-1], 0.0))), float(np.sqrt(spectrum[0]))),
        spectrum,
        float(np.exp(entr(share).sum())),
        data.frame.alive,
        delta,
        delta / (2 * rho * (1 - rho)),
        error_bound(delta, epsilon, rho),
    )


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


def _p_identity(centred: Array, rng: np.random.Generator) -> float | None:
    """p-value of Cov = I for Gaussian rows (n, D), None if n is small: ‖S − I‖_F and its law."""
    if len(centred) < SAMPLES_PER_DIMENSION * centred.shape[1]:
        return None
    found = whitening_error(centred)
    null = [whitening_error(rng.standard_normal(centred.shape)) for _ in range(DRAWS)]
    return float((1 + (np.array(null) >= found).sum()) / (DRAWS + 1))
