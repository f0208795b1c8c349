"""The point mass: its optimum, its pictures, and control in an embedding that is a rotation."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from agent.interfaces import Array
from studies.closed_loop_study import STUDY, fresh_law, measure, pairs_of
from studies.latent_control import (
    closed_loop_cost,
    first_gains,
    fit_dynamics,
    latent_controller,
    true_controller,
)
from studies.metrics import linear_r2
from studies.point_mass import (
    EFFORT,
    FORCES,
    FRICTION,
    NOISE,
    behaviour_correlation,
    draw,
    optimal_gain,
    record,
)

TURN = np.array([[0.6, -0.8], [0.8, 0.6]])


def rotated(positions: Array) -> Array:
    return positions @ TURN.T


def worlds(seed: int = 0) -> tuple[Array, Array]:
    starts, goals = np.random.default_rng(seed).uniform(-1.5, 1.5, (2, 64, 2))
    return starts, goals


def test_the_optimum_is_that_of_value_iteration() -> None:
    """Bellman's recursion from no cost at all, written out, ends at the Riccati solution."""
    a = np.block([[np.eye(2), FRICTION * np.eye(2)], [np.zeros((2, 2)), FRICTION * np.eye(2)]])
    b, near = np.vstack([FORCES, FORCES]), np.diag([1.0, 1, 0, 0])
    cost, gain = near, np.zeros((2, 4))
    for _ in range(400):
        gain = np.linalg.solve(EFFORT * np.eye(2) + b.T @ cost @ b, b.T @ cost @ a)
        cost = near + gain.T @ (EFFORT * gain) + (a - b @ gain).T @ cost @ (a - b @ gain)
    assert optimal_gain() == pytest.approx(gain, rel=1e-6)


def test_no_other_gain_costs_less() -> None:
    starts, goals = worlds()
    best = closed_loop_cost(true_controller(goals), starts, goals, 80, np.random.default_rng(0))
    for factor in (0.8, 1.25):

        def other(now: Array, before: Array, factor: float = factor) -> Array:
            forces: Array = factor * true_controller(goals)(now, before)
            return forces

        cost = closed_loop_cost(other, starts, goals, 80, np.random.default_rng(0))
        assert cost.mean() > 1.01 * best.mean()


def test_control_in_a_rotated_embedding_costs_the_optimum() -> None:
    """Theorem 4: the same cost wherever h is a rotation of the state, noise in the fit included."""
    starts, goals = worlds()
    places, forces = record(50, 40, 0.8, np.random.default_rng(1))
    learned = latent_controller(rotated, fit_dynamics(rotated(places), forces), goals)
    cost, best = (
        closed_loop_cost(acts, starts, goals, 60, np.random.default_rng(2)).mean()
        for acts in (learned, true_controller(goals))
    )
    assert cost / best == pytest.approx(1, abs=0.005)


def test_a_stretched_embedding_costs_more() -> None:
    def stretched(positions: Array) -> Array:
        wide: Array = positions * [3.0, 0.3]
        return wide

    starts, goals = worlds()
    places, forces = record(50, 40, 0.8, np.random.default_rng(1))
    learned = latent_controller(stretched, fit_dynamics(stretched(places), forces), goals)
    cost, best = (
        closed_loop_cost(acts, starts, goals, 60, np.random.default_rng(2)).mean()
        for acts in (learned, true_controller(goals))
    )
    assert cost / best > 1.1


def test_fitted_dynamics_are_those_of_the_point() -> None:
    places, forces = record(50, 40, 0.8, np.random.default_rng(3))
    found = fit_dynamics(places, forces)
    assert found.now == pytest.approx((1 + FRICTION) * np.eye(2), abs=0.01)
    assert found.before == pytest.approx(-FRICTION * np.eye(2), abs=0.01)
    assert found.force == pytest.approx(FORCES, abs=0.002)
    assert found.drift == pytest.approx(0, abs=0.002)
    gains = first_gains(found, np.zeros((1, 2)))[0]
    k_position, k_velocity = np.hsplit(optimal_gain(), 2)
    assert gains[:, :2] == pytest.approx(k_position + k_velocity, rel=0.1)
    assert gains[:, 2:4] == pytest.approx(-k_velocity, rel=0.1)


def test_recorded_pairs_are_correlated_as_said() -> None:
    """Without the starts from rest: the second half of long episodes."""
    places, _ = record(400, 300, 1.0, np.random.default_rng(4))
    late = places[:, 150:]
    assert late.std() == pytest.approx(np.hypot(1, 0), abs=0.15 + 10 * NOISE)
    found = (late[:, :-4] * late[:, 4:]).mean() / (late**2).mean()
    assert found == pytest.approx(behaviour_correlation(4), abs=0.02)


def test_pictures_tell_places_apart() -> None:
    """The centre of what is bright is where the point is."""
    places = torch.tensor([[0.0, 0.0], [1.0, -2.0], [-2.5, 2.5]])
    pictures = draw(places).reshape(3, 16, 16)
    rows = (pictures.sum(2) * torch.arange(16)).sum(1) / pictures.sum((1, 2))
    assert rows.numpy() == pytest.approx((places[:, 0].numpy() / 4 + 1) * 7.5, abs=0.05)


@pytest.mark.parametrize("spoilt", ["nothing", "uniform", "rates", "pairs"])
def test_every_law_has_variance_one(spoilt: str) -> None:
    settings = {"spoilt": spoilt, "amount": 4.0, "seed": 0}
    rows = fresh_law(settings, 50_000, torch.Generator().manual_seed(0))
    assert rows.std(0).numpy() == pytest.approx(1, abs=0.02)
    here, _ = pairs_of(settings)(256, torch.Generator().manual_seed(0))
    assert len(here.unique(dim=0)) <= (4 if spoilt == "pairs" else 256)


def test_a_uniform_law_is_as_linear_in_its_gaussian_as_the_closed_form_says() -> None:
    """Squared correlation of a Gaussian with its own distribution function: 3/π."""
    gaussian = np.random.default_rng(0).standard_normal((100_000, 1))
    settings = {"spoilt": "uniform", "amount": 1.0, "seed": 0}
    even = np.sort(fresh_law(settings, 100_000, torch.Generator().manual_seed(1))[:, :1], axis=0)
    found = linear_r2(np.sort(gaussian, axis=0), even.astype(np.float64))
    assert found == pytest.approx(3 / np.pi, abs=0.005)


def test_a_run_measures_what_its_table_shows(tmp_path) -> None:  # type: ignore[no-untyped-def]
    job = {**STUDY.jobs("quick")[0], "steps": 5}
    row = {**job, **measure(job, tmp_path)}
    summary = STUDY.conclude([row])
    assert summary["table"][0]["cost_ratio"]["mean"] == row["cost_ratio"] > 0
    assert row["ratio_of_doing_nothing"] > 10
