"""The approximate theorem's bound, and the spectrum behind it.

(Klindt, LeCun & Balestriero 2026, arXiv:2605.26379, Theorems 1 and 3.) In the stationary
Ornstein-Uhlenbeck world a Hermite feature of degree d decays by ρ^d a step, so among whitened
encoders linear ones align best, and whatever excess alignment an encoder has bounds how much of it
is nonlinear.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import numpy as np

from agent.diagnosis.promise import checked, error_bound, whitening_error
from agent.errors import UserError
from studies.metrics import (
    Array,
    linear_r2,
    mean_correlation,
    orthogonality_error,
    procrustes_residuals,
)


@dataclass(frozen=True)
class Pairs:
    """Samples of a world, one row each: latents z, z' one step later, and what h makes of them."""

    latents: Array
    partners: Array
    embeddings: Array
    partner_embeddings: Array


def excess_alignment(pairs: Pairs, rho: float) -> float:
    """δ: alignment above the best that an encoder of the same total variance can have, at least 0.

    Theorem 3 has whitened encoders in mind, where the least is 2(1 − ρ)n. For E‖h − E h‖² = v it
    is 2(1 − ρ)v by the same decomposition, and with δ measured from there the theorem's proof
    holds whatever Cov(h) is: δ = Σ_d 2(ρ − ρ^d)‖h_d‖² over Hermite degrees d ≥ 2.

    A linear part Wz cancels in expectation, so it is taken off sample by sample; what would be
    left of it by chance is larger than the δ of a good encoder.

    Raises:
        UserError: for arrays that no metric takes, or a ``rho`` that is no correlation.
    """
    if not -1.0 <= rho <= 1.0:
        raise UserError(f"expected rho from -1 to 1, got {rho}")
    z, partner = checked("latents", pairs.latents), checked("partners", pairs.partners)
    h = checked("embeddings", pairs.embeddings)
    h_partner = checked("partner embeddings", pairs.partner_embeddings)
    lengths = {len(array) for array in (z, partner, h, h_partner)}
    if len(lengths) > 1:
        raise UserError(f"expected as many rows in all four arrays, got {sorted(lengths)}")
    both_z, both_h = np.concatenate([z, partner]), np.concatenate([h, h_partner])
    both_z, both_h = both_z - both_z.mean(0), both_h - both_h.mean(0)
    linear = both_z @ np.linalg.lstsq(both_z, both_h, rcond=None)[0]
    step = _power(both_h[len(z) :] - both_h[: len(z)]) - _power(linear[len(z) :] - linear[: len(z)])
    return max(0.0, step - 2 * (1 - rho) * (_power(both_h) - _power(linear)))


def _standard_error(values: Array) -> float:
    return float(values.std(ddof=1) / math.sqrt(len(values)))


def _power(values: Array) -> float:
    return float((values**2).sum(1).mean())


@dataclass(frozen=True)
class Recovery:
    """All metrics of one encoder; see ``studies.metrics`` for each."""

    r2: float
    r2_reverse: float
    mcc: float
    whitening_error: float
    orthogonality_error: float | None
    procrustes_error: float | None
    procrustes_standard_error: float | None
    """Of the mean over the test samples; where the bound is tight, chance decides."""
    excess_alignment: float
    bound: float | None

    def as_row(self) -> dict[str, float | None]:
        """For a study's row."""
        return asdict(self)


def recovery(pairs: Pairs, rho: float) -> Recovery:
    """Measure an encoder on fresh ``pairs`` of a world with correlation ``rho`` a step.

    What needs as many embedding coordinates as latents is None where there are more or fewer.

    Raises:
        UserError: for arrays that no metric takes.
    """
    z, h = pairs.latents, pairs.embeddings - pairs.embeddings.mean(0)
    excess, white = excess_alignment(pairs, rho), whitening_error(h)
    square = z.shape[1] == h.shape[1]
    errors = procrustes_residuals(z, h) if square else None
    return Recovery(
        r2=linear_r2(h, z),
        r2_reverse=linear_r2(z, h),
        mcc=mean_correlation(z, h),
        whitening_error=white,
        orthogonality_error=orthogonality_error(z, h) if square else None,
        procrustes_error=None if errors is None else float(errors.mean()),
        procrustes_standard_error=None if errors is None else _standard_error(errors),
        excess_alignment=excess,
        bound=error_bound(excess, white, rho) if square else None,
    )
