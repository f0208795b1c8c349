"""What the slowest functions of some joints are, where mathematics says it."""

from __future__ import annotations

import numpy as np
import pytest

from envs.reacher.angles import WRIST_LIMIT_RAD
from studies.probes import held_out_r2
from studies.slow_features import of_circle_and_interval, of_lines, slowest


def reflected(angles, limit):
    """A walk on the line, folded into [−limit, limit]."""
    folded = (angles + limit) % (4 * limit)
    return np.minimum(folded, 4 * limit - folded) - limit


@pytest.fixture
def diffusing():
    """Pairs (2, N, 2) of a shoulder on its circle and a wrist between its limits, as steady."""
    rng = np.random.default_rng(0)
    first = rng.uniform(-np.pi, np.pi, (60_000, 2)) * [1, WRIST_LIMIT_RAD / np.pi]
    second = first + 0.3 * rng.standard_normal(first.shape)
    wrists = reflected(np.stack([first, second])[..., 1], WRIST_LIMIT_RAD)
    return np.stack([np.stack([first, second])[..., 0], wrists], -1)


def test_of_a_circle_and_an_interval_the_first_harmonics_are_slowest(diffusing):
    """Rates k² r and (π m / 2L)² r: half a cosine, sine and cosine, then mixed ones."""
    first, second = (of_circle_and_interval(angles) for angles in diffusing)
    weights = slowest(first, second, 3)
    slow = (first @ weights, second @ weights)
    wrist = np.sin(np.pi * diffusing[0][:, 1] / (2 * WRIST_LIMIT_RAD))
    assert np.corrcoef(slow[0][:, 0], wrist)[0, 1] ** 2 > 0.99
    shoulder = np.stack([np.sin(diffusing[0][:, 0]), np.cos(diffusing[0][:, 0])], 1)
    assert held_out_r2((slow[0], slow[0]), (shoulder, shoulder)).min() > 0.99
    left = ((slow[1] - slow[0]) ** 2).mean(0) / 2  # 1 − ρ
    rates = -np.log(1 - left) / (0.3**2 / 2)
    assert rates == pytest.approx([(np.pi / (2 * WRIST_LIMIT_RAD)) ** 2, 1, 1], rel=0.1)
    assert np.cov((first @ weights).T) == pytest.approx(np.eye(3), abs=0.05)


def test_of_gaussian_joints_the_angles_are_slowest_up_to_a_factor_of_two_in_rate():
    """The square of the slow joint has twice its rate: past that it takes the fast one's place."""
    rng = np.random.default_rng(0)
    here, noise = rng.standard_normal((2, 60_000, 2))
    for ratio, worst in ((1.6, (0.99, 1.0)), (2.5, (-0.01, 0.02))):
        rho = 0.95 ** np.array([1.0, ratio])
        there = rho * here + np.sqrt(1 - rho**2) * noise
        slow = of_lines(here) @ slowest(of_lines(here), of_lines(there), 2)
        assert worst[0] < held_out_r2((slow, slow), (here, here)).min() <= worst[1]


def test_where_joints_rest_or_jump_no_function_is_slower_than_another():
    """What stays with probability p keeps p of any function: none comes first."""
    rng = np.random.default_rng(0)
    here, anywhere = rng.uniform(-2.7, 2.7, (2, 60_000, 2))
    there = np.where(rng.random((60_000, 1)) < 0.8, here, anywhere)
    first, second = of_circle_and_interval(here), of_circle_and_interval(there)
    step = (second - first) @ slowest(first, second, 64)
    assert (step**2).mean(0) / 2 == pytest.approx(np.full(64, 0.2), abs=0.06)
