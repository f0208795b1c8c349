"""Gauss-Newton's own promises: second-order speed, and honesty when the slope lies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from known_costs import Array, Quadratic

from planners import (
    ActionBounds,
    GaussNewtonPlanner,
    LeastSquaresCost,
    Plan,
    SeededNoise,
)

NO_LUCK: dict[str, Any] = {"random_starts": 0}  # so that what is measured is the Newton step
BOX = ActionBounds()


def search(cost: Any, start: Array, bounds: ActionBounds = BOX, **settings: Any) -> Plan:
    planner = GaussNewtonPlanner(**settings)
    return planner.plan(cost, start, bounds, SeededNoise(range(len(start))))


@dataclass(frozen=True)
class Linear:
    """‖matrix·u − target‖² with ``matrix`` (E, R, P) and ``target`` (E, R)."""

    matrix: Array
    target: Array

    def __call__(self, plans: Array) -> Array:
        flat = plans.reshape(*plans.shape[:2], -1)
        predicted = np.einsum("erp,enp->enr", self.matrix, flat)
        return np.square(predicted - self.target[:, None]).sum(-1)

    def linearise(self, plans: Array) -> tuple[Array, Array]:
        flat = plans.reshape(len(plans), -1)
        predicted = np.einsum("erp,ep->er", self.matrix, flat)
        return predicted - self.target, self.matrix.transpose(0, 2, 1)


@dataclass(frozen=True)
class Arm:
    """Two links whose tip should reach ``goal`` (2,): a plan is the two joint angles."""

    goal: Array

    def __call__(self, plans: Array) -> Array:
        return np.square(self.residuals(plans)).sum(-1)

    def linearise(self, plans: Array) -> tuple[Array, Array]:
        first, both = self._angles(plans)
        lower = np.stack([-np.sin(both), np.cos(both)], -1)
        upper = lower + np.stack([-np.sin(first), np.cos(first)], -1)
        return self.residuals(plans), np.stack([upper, lower], 1)

    def residuals(self, plans: Array) -> Array:
        first, both = self._angles(plans)
        tip = np.stack([np.cos(first) + np.cos(both), np.sin(first) + np.sin(both)], -1)
        return tip - self.goal

    def _angles(self, plans: Array) -> tuple[Array, Array]:
        return plans[..., 0, 0, 0], plans[..., 0, 0, :].sum(-1)


class TwoValleys:
    """A floor of zero at -0.7 and one of about 0.07 near 0.7."""

    def __call__(self, plans: Array) -> Array:
        return np.square(self.residuals(plans)).sum(-1)

    def linearise(self, plans: Array) -> tuple[Array, Array]:
        slopes = np.zeros((len(plans), 2, 2), np.float32)
        slopes[:, 0, 0], slopes[:, 0, 1] = 2 * plans[:, 0, 0, 0], 0.2
        return self.residuals(plans), slopes

    def residuals(self, plans: Array) -> Array:
        x = plans[..., 0, 0, 0]
        return np.stack([np.square(x) - 0.49, 0.2 * (x + 0.7)], -1)


def not_a_number(slopes: Array) -> Array:
    return np.full_like(slopes, np.nan)


def infinite(slopes: Array) -> Array:
    return np.full_like(slopes, np.inf)


def huge(slopes: Array) -> Array:
    """All rows alike, and so large that no damping is left after rounding: exactly singular."""
    return np.full_like(slopes, 2.0**40)


@dataclass(frozen=True)
class Spoilt:
    """A quadratic around ``centre`` whose slope is spoilt in the first episode."""

    centre: float
    spoil: Callable[[Array], Array]

    def __call__(self, plans: Array) -> Array:
        return np.square(plans - self.centre).sum((-1, -2, -3))

    def linearise(self, plans: Array) -> tuple[Array, Array]:
        residuals = (plans - self.centre).reshape(len(plans), -1)
        slopes = np.tile(np.eye(residuals.shape[1]), (len(plans), 1, 1))
        slopes[0] = self.spoil(slopes[0])
        return residuals, slopes


def test_one_iteration_solves_an_interior_linear_least_squares() -> None:
    rng = np.random.default_rng(4)
    matrix = rng.normal(size=(2, 9, 6))
    solution = 0.3 * rng.normal(size=(2, 6)).clip(-2, 2)
    target = np.einsum("erp,ep->er", matrix, solution) + 0.3 * rng.normal(size=9)
    expected = [np.linalg.lstsq(a, b)[0] for a, b in zip(matrix, target, strict=True)]
    assert np.abs(expected).max() < 1  # else the box, not the algebra, would decide
    start = np.zeros((2, 3, 1, 2))
    plan = search(Linear(matrix, target), start, iterations=1, dampings=(1e-9,), **NO_LUCK)
    np.testing.assert_allclose(plan.actions.reshape(2, 6), expected, atol=1e-6)


def test_a_coupled_quadratic_on_the_bound_meets_the_optimality_conditions(
    quadratic: Quadratic,
) -> None:
    # Coupled variables: clipping the free optimum would not be the answer.
    spread = np.random.default_rng(0).normal(size=(4, 4)) + 2 * np.eye(4)
    cost = Quadratic(3 * quadratic.optimum.astype(np.float64), spread)
    # Nearly undamped, every step would end at the free optimum, were variables not held.
    settings = {"iterations": 10, "dampings": (1e-6,), **NO_LUCK}
    plan = search(cost, np.zeros((3, 2, 1, 2)), **settings)
    residuals, slopes = cost.linearise(plan.actions)
    slope = np.einsum("epr,er->ep", slopes, residuals)
    u = plan.actions.reshape(3, 4)
    inside = np.abs(u) < 1 - 1e-4
    assert inside.any() and (~inside).any()
    assert np.abs(slope[inside]).max() < 1e-2 * np.abs(slope).max()
    assert (slope[~inside] * np.sign(u[~inside]) <= 0).all()  # the cost falls outwards


def test_a_nonlinear_toy_is_solved_to_single_precision() -> None:
    reachable = np.array([0.6, -0.4], np.float32).reshape(1, 1, 1, 2)
    goal = Arm(np.zeros(2, np.float32)).residuals(reachable)[0]
    start = np.array([0.1, -0.1], np.float32).reshape(1, 1, 1, 2)
    plan = search(Arm(goal), start, iterations=8, **NO_LUCK)
    np.testing.assert_allclose(plan.actions, reachable, atol=1e-3)
    assert plan.cost_history[3] < 1e-6  # quadratic convergence, not a crawl


def test_sampled_starts_escape_a_bad_valley() -> None:
    stuck = np.full((1, 1, 1, 2), 0.7, np.float32)
    assert search(TwoValleys(), stuck, **NO_LUCK).cost[0] > 0.05
    assert search(TwoValleys(), stuck, random_starts=200).cost[0] < 0.001


@pytest.mark.filterwarnings("ignore:.*encountered:RuntimeWarning")
@pytest.mark.parametrize("centre", [0.0, 0.6])
@pytest.mark.parametrize("spoil", [not_a_number, infinite, huge])
def test_an_episode_that_cannot_be_solved_costs_only_itself(
    centre: float, spoil: Callable[[Array], Array]
) -> None:
    start = np.full((3, 2, 1, 2), 0.8)
    plan = search(Spoilt(centre, spoil), start, ActionBounds(0.5, 0.9), **NO_LUCK)
    if spoil is not huge:  # that has a small step in it, as good as any
        np.testing.assert_array_equal(plan.actions[0], start[0])
    assert plan.cost[0] <= Spoilt(centre, spoil)(start[:, None])[0, 0]
    np.testing.assert_allclose(plan.actions[1:], max(centre, 0.5), atol=1e-3)


def test_an_exactly_singular_system_costs_only_its_episode() -> None:
    settings = {"dampings": (1e-20,), **NO_LUCK}
    start = np.full((3, 2, 1, 2), 0.8)
    system = np.full((4, 4), 2.0**80)
    with pytest.raises(np.linalg.LinAlgError):  # so that the test is of what it says
        np.linalg.solve(system + 1e-9 * np.eye(4), np.ones(4))
    plan = search(Spoilt(0.6, huge), start, ActionBounds(0.5, 0.9), **settings)
    np.testing.assert_array_equal(plan.actions[0], start[0])
    np.testing.assert_allclose(plan.actions[1:], 0.6, atol=1e-3)


def test_a_plain_function_is_refused_and_pointed_to_cem(quadratic: Quadratic) -> None:
    def plain(plans: Array) -> Array:
        return quadratic(plans)

    assert not isinstance(plain, LeastSquaresCost)
    with pytest.raises(ValueError, match=r"linearise.*CEMPlanner"):
        search(plain, np.zeros((3, 2, 1, 2), np.float32))


@pytest.mark.parametrize(
    "wrong",
    [{"iterations": 0}, {"dampings": ()}, {"dampings": (0.0,)}, {"start_correlation": 1.0}],
)
def test_senseless_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"expected .*{next(iter(wrong))}"):
        GaussNewtonPlanner(**wrong)
