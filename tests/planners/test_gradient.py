"""The gradient planner's own promises: precise in one valley, and not caught in the first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from known_costs import Array, Quadratic

from planners import (
    ActionBounds,
    CEMPlanner,
    GradientPlanner,
    LeastSquaresCost,
    SeededNoise,
)

STILL = np.zeros((3, 2, 1, 2), np.float32)


@dataclass(frozen=True)
class Valleys:
    """A floor of 0 at -0.7 and one of about 0.07 near 0.7, in one number of two."""

    def __call__(self, plans: Array) -> Array:
        x = plans[..., 0, 0, 0]
        return np.square(np.square(x) - 0.49) + np.square(0.2 * (x + 0.7))

    def linearise(self, plans: Array) -> tuple[Array, Array]:
        x, slopes = plans[:, 0, 0, 0], np.zeros((len(plans), 2, 2), np.float32)
        slopes[:, 0, 0], slopes[:, 0, 1] = 2 * x, 0.2
        return np.stack([np.square(x) - 0.49, 0.2 * (x + 0.7)], -1), slopes


@dataclass(frozen=True)
class Slopeless:
    """A cost whose slope is not a number."""

    quadratic: Quadratic

    def __call__(self, plans: Array) -> Array:
        return self.quadratic(plans)

    def linearise(self, plans: Array) -> tuple[Array, Array]:
        residuals, slopes = self.quadratic.linearise(plans)
        return residuals, np.full_like(slopes, np.nan)


def test_beats_the_sampling_it_begins_with(quadratic: Quadratic) -> None:
    gradient, cost = GradientPlanner(steps=10), quadratic.rows(0, 1)
    sampled, refined = (
        planner.plan(cost, STILL[:2], ActionBounds(), SeededNoise((1, 2)))
        for planner in (gradient.sampling, gradient)
    )
    np.testing.assert_array_equal(refined.cost_history[0], sampled.cost)  # the same samples
    assert (refined.cost < 0.2 * sampled.cost).all()


def test_several_starts_see_the_deeper_valley() -> None:
    start = np.full((1, 1, 1, 2), 0.7, np.float32)
    near = CEMPlanner(samples=16, iterations=1, elites=4, initial_std=1e-3, min_std=1e-3)
    wide = CEMPlanner(samples=16, iterations=1, elites=4, initial_std=1.0)
    costs = [
        GradientPlanner(sampling, steps=60, rate=0.05)
        .plan(Valleys(), start, ActionBounds(), SeededNoise((0,)))
        .cost.item()
        for sampling in (near, wide)
    ]
    assert costs[0] > 0.05 and costs[1] < 1e-4


def test_a_slope_that_is_not_a_number_moves_nothing(quadratic: Quadratic) -> None:
    gradient = GradientPlanner()
    sampled = gradient.sampling.plan(quadratic, STILL, ActionBounds(), SeededNoise((1, 2, 3)))
    plan = gradient.plan(Slopeless(quadratic), STILL, ActionBounds(), SeededNoise((1, 2, 3)))
    np.testing.assert_array_equal(plan.actions, sampled.actions)


def test_a_plain_function_is_refused_and_pointed_to_cem(quadratic: Quadratic) -> None:
    def plain(plans: Array) -> Array:
        return quadratic(plans)

    assert not isinstance(plain, LeastSquaresCost)
    with pytest.raises(ValueError, match=r"linearise\(\).*CEMPlanner"):
        GradientPlanner().plan(plain, STILL, ActionBounds(), SeededNoise((1, 2, 3)))


@pytest.mark.parametrize("wrong", [{"starts": 0}, {"starts": 9}, {"steps": 0}, {"rate": 0.0}])
def test_senseless_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"expected .*{next(iter(wrong))}"):
        GradientPlanner(**wrong)
