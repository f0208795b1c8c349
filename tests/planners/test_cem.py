"""The cross-entropy method's own promises."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from known_costs import Array, Quadratic

from planners import ActionBounds, CEMPlanner, SeededNoise


def test_needs_no_slope(quadratic: Quadratic) -> None:
    plan = CEMPlanner().plan(
        lambda plans: quadratic(plans),
        np.zeros((3, 2, 1, 2), np.float32),
        ActionBounds(),
        SeededNoise((1, 2, 3)),
    )
    assert plan.cost_history.shape == (CEMPlanner().iterations, 3)


def test_finds_the_better_of_two_valleys() -> None:
    def two_valleys(plans: Array) -> Array:
        u = plans[..., 0, 0, 0]
        return np.minimum(np.square(u + 0.8) + 0.05, np.square(u - 0.8))

    planner = CEMPlanner(samples=256, iterations=10)
    start = np.full((1, 1, 1, 2), -0.8, np.float32)
    plan = planner.plan(two_valleys, start, ActionBounds(), SeededNoise((0,)))
    assert abs(plan.actions[0, 0, 0, 0] - 0.8) < 0.02


def test_correlated_noise_does_not_spoil_an_optimum_on_the_bound(quadratic: Quadratic) -> None:
    still, bounds = np.zeros((1, 2, 1, 2), np.float32), ActionBounds()
    cost = quadratic.rows(2)
    least = cost(cost.optimum.clip(-1, 1)[:, None])[0, 0]
    planner = CEMPlanner(iterations=8, correlation=0.6)
    excess = [
        planner.plan(cost, still, bounds, SeededNoise((seed,))).cost[0] - least
        for seed in range(10)
    ]
    assert np.mean(excess) < 0.01  # about 0.02 where the correlation never falls


def test_the_first_samples_spread_as_asked() -> None:
    seen: list[Array] = []

    def spy(plans: Array) -> Array:
        seen.append(plans)
        return np.square(plans).sum((-1, -2, -3))

    planner = CEMPlanner(samples=8000, elites=2, iterations=1, initial_std=0.1, correlation=0.6)
    start = np.zeros((1, 3, 2, 2), np.float32)
    planner.plan(spy, start, ActionBounds(), SeededNoise((0,)))
    ticks = seen[0][0].reshape(8000, 6, 2) / 0.1
    np.testing.assert_allclose(ticks.std(0), 1, atol=0.04)
    assert np.corrcoef(ticks[:, 0, 0], ticks[:, 1, 0])[0, 1] == pytest.approx(0.6, abs=0.05)


@pytest.mark.parametrize(
    "wrong",
    [{"elites": 1}, {"samples": 8, "elites": 9}, {"iterations": 0}, {"correlation": 1.0}],
)
def test_senseless_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"expected .*{list(wrong)[-1]}"):
        CEMPlanner(**wrong)
