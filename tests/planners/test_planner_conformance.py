"""What every planner owes its caller."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from known_costs import Array, Priced, Quadratic, quadratic_of

from planners import ActionBounds, Plan, Planner, SeededNoise
from planners.search import Search

BOX = ActionBounds()
STILL = np.zeros((3, 2, 1, 2), np.float32)
SHAPES = [(2, 1, 1), (2, 3, 1), (2, 1, 5), (1, 3, 5)]


def search(planner: Planner, cost: Quadratic | Priced, start: Array = STILL) -> Plan:
    """A search in the usual box, with one stream for each episode of ``start``."""
    return planner.plan(cost, start, BOX, SeededNoise(range(len(start))))


def test_finds_the_optimum_of_a_quadratic_inside_the_box(
    planner: Planner, quadratic: Quadratic, precision: float
) -> None:
    plan = search(planner, quadratic.rows(0, 1), STILL[:2])
    np.testing.assert_allclose(plan.actions, quadratic.optimum[:2], atol=precision)
    assert plan.cost.max() < 10 * precision**2


def test_finds_the_optimum_on_the_bound(
    planner: Planner, quadratic: Quadratic, precision: float
) -> None:
    # The curvature is diagonal, so the best point of the box is the optimum clipped.
    plan = search(planner, quadratic.rows(2), STILL[:1])
    np.testing.assert_allclose(plan.actions, quadratic.optimum[2:].clip(-1, 1), atol=precision)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_serves_any_number_of_actions_and_ticks(
    planner: Planner, precision: float, shape: tuple[int, int, int]
) -> None:
    cost, still = quadratic_of(*shape), np.zeros((3, *shape), np.float32)
    plan = search(planner, cost, still)
    assert plan.actions.shape == still.shape and np.abs(plan.actions).max() <= 1.0
    clipped = cost.optimum.clip(-1, 1)
    least, before = (cost(plans[:, None])[:, 0] for plans in (clipped, still))
    left = 0.8 if precision > 0.1 else 0.2  # blind draws find little in many dimensions
    assert (plan.cost - least < left * (before - least)).all()


@pytest.mark.parametrize("shape", [(2, 1, 2), *SHAPES], ids=str)
def test_an_episode_does_not_depend_on_its_company(
    planner: Planner, shape: tuple[int, int, int]
) -> None:
    cost, still = quadratic_of(*shape), np.zeros((3, *shape), np.float32)
    together = planner.plan(cost, still, BOX, SeededNoise((5, 6, 7)))
    for episode, seed in enumerate((5, 6, 7)):
        alone = planner.plan(cost.rows(episode), still[:1], BOX, SeededNoise((seed,)))
        np.testing.assert_allclose(together.actions[episode], alone.actions[0], atol=1e-5)


@pytest.mark.parametrize("bounds", [BOX, ActionBounds(-0.25, 0.125), ActionBounds(0.25, 0.875)])
def test_stays_in_the_box_whatever_the_warm_start(
    planner: Planner, quadratic: Quadratic, bounds: ActionBounds
) -> None:
    for warm_start in (STILL, STILL + 7.0, STILL - 7.0):
        actions = planner.plan(quadratic, warm_start, bounds, SeededNoise((1, 2, 3))).actions
        assert actions.shape == warm_start.shape
        assert bounds.low <= actions.min() and actions.max() <= bounds.high


def test_an_average_that_rounds_past_a_bound_is_put_back() -> None:
    found = Search(lambda plans: -plans.sum((-1, -2, -3)), STILL, BOX)
    past = np.nextafter(np.ones((3, 1, 2, 1, 2), np.float32), np.float32(2))  # weights sum to 1+ε
    found.try_all(past)
    np.testing.assert_array_equal(found.plan().actions, 1.0)


@pytest.mark.parametrize("shape", [(2, 1, 2), *SHAPES], ids=str)
def test_is_never_worse_than_the_warm_start(planner: Planner, shape: tuple[int, int, int]) -> None:
    cost = quadratic_of(*shape)
    warm_start = np.linspace(-0.3, 0.9, cost.optimum.size, dtype=np.float32).reshape(3, *shape)

    def needle(plans: Array) -> Array:
        """Nothing is as cheap as the warm start, and its neighbours do not show it."""
        is_elsewhere = np.abs(plans - warm_start[:, None]).max((-1, -2, -3)) > 1e-6
        found: Array = cost(plans) + np.float32(100) * is_elsewhere
        return found

    plan = search(planner, Priced(needle, cost), warm_start)  # its slope misleads
    np.testing.assert_array_equal(plan.actions, warm_start)


def test_reports_the_cost_of_what_it_returns(planner: Planner, quadratic: Quadratic) -> None:
    plan = search(planner, quadratic)
    np.testing.assert_allclose(plan.cost, quadratic(plan.actions[:, None])[:, 0], rtol=1e-5)
    np.testing.assert_array_equal(plan.cost_history[-1], plan.cost)
    assert (np.diff(plan.cost_history, axis=0) <= 0).all()


def test_the_plan_has_the_type_of_the_warm_start(planner: Planner, quadratic: Quadratic) -> None:
    assert search(planner, quadratic).actions.dtype == np.float32


@pytest.mark.parametrize("wrong", [np.nan, np.inf, 1e6])
def test_one_absurd_cost_does_not_spoil_the_plan(
    planner: Planner, quadratic: Quadratic, precision: float, wrong: float
) -> None:
    """The last of every batch of candidates has it; the margin is twice the precision."""

    def spoilt(plans: Array) -> Array:
        costs = quadratic(plans)
        costs[:, -1] = wrong if plans.shape[1] > 1 else costs[:, -1]
        return costs

    plan = search(planner, Priced(spoilt, quadratic))
    clean = search(planner, quadratic)
    np.testing.assert_allclose(plan.actions, clean.actions, atol=2 * precision)
    np.testing.assert_allclose(plan.cost, clean.cost, atol=10 * precision**2)


def test_absurd_costs_together_do_not_spoil_the_plan(
    planner: Planner, quadratic: Quadratic, precision: float
) -> None:
    def spoilt(plans: Array) -> Array:
        costs = quadratic(plans)
        if plans.shape[1] > 3:
            costs[:, -3:] = np.nan, np.inf, 1e6
        return costs

    plan = search(planner, Priced(spoilt, quadratic))
    clean = search(planner, quadratic)
    np.testing.assert_allclose(plan.actions, clean.actions, atol=2 * precision)


def test_without_a_finite_cost_the_warm_start_stays(planner: Planner, quadratic: Quadratic) -> None:
    def hopeless(plans: Array) -> Array:
        costs = quadratic(plans)
        costs[1] = np.nan
        return costs

    lost = quadratic.optimum.copy()
    lost[1] = np.nan  # nor has it residuals
    plan = search(planner, Priced(hopeless, replace(quadratic, optimum=lost)), STILL + 0.5)
    np.testing.assert_array_equal(plan.actions[1], 0.5)
    assert np.isinf(plan.cost[1]) and np.isfinite(plan.cost[[0, 2]]).all()
    clean = search(planner, quadratic, STILL + 0.5)
    np.testing.assert_allclose(plan.actions[[0, 2]], clean.actions[[0, 2]], atol=1e-5)


def test_same_streams_same_plan(planner: Planner, quadratic: Quadratic) -> None:
    first, second = (search(planner, quadratic) for _ in range(2))
    np.testing.assert_array_equal(first.actions, second.actions)


def test_draws_from_nothing_but_the_given_streams(planner: Planner, quadratic: Quadratic) -> None:
    before = str(np.random.get_state())  # noqa: NPY002  the global one is what must not move
    search(planner, quadratic)
    assert str(np.random.get_state()) == before  # noqa: NPY002


def test_leaves_the_warm_start_alone(planner: Planner, quadratic: Quadratic) -> None:
    warm_start = STILL + 2.0
    search(planner, quadratic, warm_start)
    np.testing.assert_array_equal(warm_start, STILL + 2.0)


@pytest.mark.parametrize("shape", [(2, 2), (1, 2, 2), (1, 3, 2, 2, 2)])
def test_a_warm_start_of_the_wrong_shape_is_refused(
    planner: Planner, quadratic: Quadratic, shape: Sequence[int]
) -> None:
    with pytest.raises(ValueError, match="warm start"):
        search(planner, quadratic, np.zeros(shape, np.float32))


def test_an_empty_box_is_refused() -> None:
    with pytest.raises(ValueError, match="low < high"):
        ActionBounds(1.0, 1.0)
