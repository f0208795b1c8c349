"""Metrics and the theorem's quantities against closed forms."""

from __future__ import annotations

from math import factorial

import numpy as np
import pytest
from scipy.special import eval_hermitenorm

from agent.diagnosis.promise import error_bound, whitening_error
from agent.errors import UserError
from studies.metrics import (
    Array,
    linear_r2,
    mean_correlation,
    orthogonality_error,
    procrustes_error,
    rotation_r2,
)
from studies.theory import Pairs, excess_alignment, recovery

RHO = 0.8
SAMPLES = 200_000


def pairs(dimensions: int = 3, seed: int = 0) -> tuple[Array, Array, np.random.Generator]:
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((SAMPLES, dimensions))
    noise = rng.standard_normal(z.shape)
    return z, RHO * z + np.sqrt(1 - RHO**2) * noise, rng


def hermite(values: Array, degree: int) -> Array:
    """He_d(x)/√d!, orthonormal under N(0, 1); E[He_d(z') | z] = ρ^d He_d(z) (Mehler)."""
    return np.asarray(eval_hermitenorm(degree, values)) / np.sqrt(factorial(degree))


def rotation(rng: np.random.Generator, dimensions: int = 3) -> Array:
    return np.asarray(np.linalg.qr(rng.standard_normal((dimensions, dimensions)))[0])


@pytest.mark.parametrize("degree", [1, 2, 3, 4])
def test_a_hermite_feature_decays_by_rho_to_its_degree(degree: int) -> None:
    z, partner, _ = pairs(1)
    first, second = hermite(z, degree), hermite(partner, degree)
    assert (first**2).mean() == pytest.approx(1, rel=0.15)
    assert (first * second).mean() == pytest.approx(RHO**degree, abs=0.04)


def test_an_orthogonal_map_has_the_minimum_alignment() -> None:
    z, partner, rng = pairs()
    turn = rotation(rng)
    aligned = ((partner @ turn - z @ turn) ** 2).sum(1).mean()
    assert aligned == pytest.approx(2 * (1 - RHO) * 3, rel=0.01)


def test_what_has_to_be_stretched_is_no_rotation() -> None:
    z, _, rng = pairs()
    h = z @ rotation(rng) + 2.0
    assert rotation_r2(h, z) == pytest.approx(1, abs=1e-4)
    stretched = h * np.array([1.0, 1.0, 1.5])  # of variance 1 each: half of one is too much
    assert linear_r2(stretched, z) == pytest.approx(1, abs=1e-9)
    assert rotation_r2(stretched, z) == pytest.approx(1 - 0.25 / 3, abs=0.005)


def test_a_quadratic_feature_has_the_excess_its_degree_says() -> None:
    z, partner, _ = pairs(2)

    def bent(latents: Array) -> Array:
        share = 0.3  # of variance; the rest stays linear
        curve = hermite(latents[:, :1], 2)
        return np.hstack([latents[:, :1], np.sqrt(1 - share) * latents[:, 1:] + share**0.5 * curve])

    found = Pairs(z, partner, bent(z), bent(partner))
    assert excess_alignment(found, RHO) == pytest.approx(2 * (RHO - RHO**2) * 0.3, rel=0.02)
    assert linear_r2(z, bent(z)) == pytest.approx(1 - 0.3 / 2, abs=0.005)
    measured = recovery(found, RHO)
    assert measured.procrustes_error is not None and measured.bound is not None
    assert measured.procrustes_error <= measured.bound


def test_linear_maps_have_no_excess_whatever_their_scale() -> None:
    z, partner, rng = pairs()
    weights = 0.3 * rng.standard_normal((3, 3))
    assert excess_alignment(Pairs(z, partner, z @ weights, partner @ weights), RHO) < 1e-9


def test_a_rotated_latent_is_recovered_perfectly() -> None:
    z, _, rng = pairs()
    h = z @ rotation(rng) + 5.0
    assert linear_r2(h, z) == pytest.approx(1, abs=1e-9)
    assert orthogonality_error(z, h) == pytest.approx(0, abs=1e-9)
    assert procrustes_error(z, h - h.mean(0)) == pytest.approx(0, abs=1e-3)
    assert whitening_error(h) == pytest.approx(0, abs=0.02)


def test_a_noised_latent_loses_what_the_noise_adds() -> None:
    """h = z + s·noise: R² = 1/(1 + s²) both ways."""
    z, _, rng = pairs()
    h = z + 0.5 * rng.standard_normal(z.shape)
    assert linear_r2(h, z) == pytest.approx(1 / 1.25, abs=0.004)
    assert linear_r2(z, h) == pytest.approx(1 / 1.25, abs=0.004)


def test_a_stretched_latent_is_linear_but_not_orthogonal() -> None:
    z, _, _ = pairs(2)
    h = z * np.array([1.0, 2.0])
    assert linear_r2(h, z) == pytest.approx(1)
    assert orthogonality_error(z, h) == pytest.approx(3 / np.sqrt(2), rel=1e-6)
    assert procrustes_error(z, h) == pytest.approx(1, rel=0.02)
    assert whitening_error(h) == pytest.approx(3, rel=0.02)


def test_matched_coordinates_correlate_and_rotated_ones_less() -> None:
    z, _, _ = pairs(2)
    assert mean_correlation(z, -z[:, ::-1]) == pytest.approx(1)
    eighth = np.array([[1, 1], [-1, 1]]) / np.sqrt(2)
    assert mean_correlation(z, z @ eighth) == pytest.approx(1 / np.sqrt(2), abs=0.01)


def test_the_bound_is_its_formula() -> None:
    excess = 0.032  # D = 0.1 at rho = 0.8
    assert error_bound(excess, 0.2, RHO) == pytest.approx(0.1 + 0.3**2)
    assert error_bound(0.0, 0.0, RHO) == 0.0


@pytest.mark.parametrize(
    ("rho", "excess", "white"), [(0.0, 0, 0), (1.0, 0, 0), (0.5, -1, 0), (0.5, 0, -1)]
)
def test_the_bound_refuses_what_it_is_not_about(rho: float, excess: float, white: float) -> None:
    with pytest.raises(UserError, match="0 < rho < 1"):
        error_bound(excess, white, rho)


GOOD = np.random.default_rng(0).standard_normal((50, 2))


@pytest.mark.parametrize(
    ("latents", "embeddings", "message"),
    [
        (GOOD[:8], GOOD[:8], "10 samples or more"),
        (GOOD, GOOD[:40], "(50 and 40|40 and 50)"),
        (GOOD * [1, 0], GOOD, "constant column 1"),
        (GOOD, np.where(GOOD[7, 1] == GOOD, np.nan, GOOD), "nan in row 7"),
        (GOOD[:, 0], GOOD, "shape"),
    ],
)
def test_bad_samples_are_named(latents: Array, embeddings: Array, message: str) -> None:
    for metric in (orthogonality_error, mean_correlation, lambda z, h: linear_r2(h, z)):
        with pytest.raises(UserError, match=message):
            metric(latents, embeddings)


def test_a_rotation_needs_equal_dimensions() -> None:
    with pytest.raises(UserError, match="dimension 2, got 1"):
        procrustes_error(GOOD, GOOD[:, :1])
