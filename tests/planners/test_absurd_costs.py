"""Whatever a cost says of some candidates, every planner's plan is sound and nearly as good."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known_costs import Array, Priced, Quadratic, quadratic_of

from planners import PLANNERS, ActionBounds, Plan, SeededNoise
from planners.sampling import cheapest

BOX = ActionBounds(-0.75, 0.5)
COST = quadratic_of(2, 1, 2)
STILL = np.zeros((3, 2, 1, 2), np.float32)
NOT_FINITE = st.sampled_from([np.nan, np.inf, -np.inf])
HUGE = st.sampled_from([1e6, 1e30, 3e38, 1e300])
BOTH_TYPES = st.sampled_from([np.float32, np.float64])

everywhere = pytest.mark.parametrize("name", sorted(PLANNERS))
often = settings(max_examples=25, deadline=None, derandomize=True)


def search(name: str, cost: Quadratic | Priced, start: Array = STILL) -> Plan:
    with np.errstate(all="ignore"):
        return PLANNERS[name]().plan(cost, start, BOX, SeededNoise((1, 2, 3)))


def spoilt(wrong: float, shares: float, seed: int, dtype: type[np.floating] = np.float32) -> Priced:
    """``wrong`` for a share of every batch of candidates, one at least, elsewhere each time."""
    rng = np.random.default_rng(seed)

    def price(plans: Array) -> Array:
        costs = COST(plans).astype(dtype)
        episodes, count = costs.shape
        if count > 1:
            hit = rng.random(costs.shape).argsort(1)[:, : max(1, int(shares * count))]
            costs[np.arange(episodes)[:, None], hit] = wrong
        return costs

    return Priced(price, COST)


def left(plan: Plan) -> Array:
    """What the plan (E,) leaves of the cost that could be saved: 0 the best, 1 standing still."""
    best, before, found = (
        COST(plans[:, None])[:, 0] for plans in (BOX.clip(COST.optimum), STILL, plan.actions)
    )
    return (found - best) / (before - best)


def assert_sound(plan: Plan) -> None:
    assert np.isfinite(plan.actions).all() and plan.actions.dtype == np.float32
    assert BOX.low <= plan.actions.min() and plan.actions.max() <= BOX.high
    assert not np.isnan(plan.cost).any() and (plan.cost > -np.inf).all()


@everywhere
@often
@given(wrong=NOT_FINITE | HUGE, seed=st.integers(0, 2**32), dtype=BOTH_TYPES)
def test_one_absurd_cost_a_batch_costs_next_to_nothing(
    name: str, wrong: float, seed: int, dtype: type[np.floating]
) -> None:
    plan = search(name, spoilt(wrong, 0.0, seed, dtype))
    assert_sound(plan)
    assert (left(plan) < left(search(name, COST)) + 0.1).all()


@everywhere
@often
@given(wrong=NOT_FINITE, share=st.floats(0.0, 0.7), seed=st.integers(0, 2**32))
def test_most_may_be_no_numbers(name: str, wrong: float, share: float, seed: int) -> None:
    plan = search(name, spoilt(wrong, share, seed))
    assert_sound(plan)
    assert (left(plan) < left(search(name, COST)) + 0.3).all()


@everywhere
@often
@given(low=st.sampled_from([-1e6, -1e30, -3e38]), seed=st.integers(0, 2**32))
def test_a_cost_far_below_the_rest_leaves_a_sound_plan(name: str, low: float, seed: int) -> None:
    assert_sound(search(name, spoilt(low, 0.0, seed)))


@everywhere
@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_without_a_finite_cost_the_former_plan_stays(name: str, wrong: float) -> None:
    lost = replace(COST, optimum=np.full_like(COST.optimum, np.nan))  # nor are there residuals
    plan = search(name, replace(spoilt(wrong, 1.0, 0), slope=lost), STILL + 0.25)
    assert_sound(plan)
    np.testing.assert_array_equal(plan.actions, 0.25)
    assert np.isinf(plan.cost).all()


@everywhere
def test_the_former_plan_keeps_its_cost_where_no_other_has_one(name: str) -> None:
    def price(plans: Array) -> Array:
        far = np.abs(plans - 0.25).max((2, 3, 4)) > 1e-6
        return np.where(far, np.nan, COST(plans))

    plan = search(name, Priced(price, COST), STILL + 0.25)
    assert_sound(plan)
    np.testing.assert_array_equal(plan.actions, 0.25)
    np.testing.assert_allclose(plan.cost, COST(STILL[:, None] + 0.25)[:, 0], rtol=1e-5)


@everywhere
@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_a_former_plan_that_is_no_number_is_none(name: str, wrong: float) -> None:
    start = STILL.copy()
    start[:, 0] = wrong
    plan = search(name, COST, start)
    assert_sound(plan)
    assert (left(plan) < 1.0).all()


def test_elites_are_those_with_a_cost() -> None:
    candidates = np.arange(8.0).reshape(2, 4)
    costs = np.array([[np.inf, 2.0, np.inf, 1.0], [np.inf] * 4])
    np.testing.assert_array_equal(cheapest(candidates, costs, 3), [[3, 1, 3], [4, 5, 6]])
