"""What every planner owes its caller."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from planners import ActionBounds, Deadline, Planner
from planners.search import Search

Streams = Callable[..., list[torch.Generator]]
BOX = ActionBounds()
STILL = torch.zeros(3, 2, 2)


def test_finds_the_optimum_of_a_quadratic_inside_the_box(
    planner: Planner, quadratic: Any, streams: Streams, precision: float
) -> None:
    plan = planner.plan(quadratic.rows(0, 1), STILL[:2], BOX, streams(1, 2))
    torch.testing.assert_close(plan.actions, quadratic.optimum[:2], atol=precision, rtol=0)
    assert plan.cost.max() < 10 * precision**2


def test_finds_the_optimum_on_the_bound(
    planner: Planner, quadratic: Any, streams: Streams, precision: float
) -> None:
    # The curvature is diagonal, so the best point of the box is the optimum clipped.
    plan = planner.plan(quadratic.rows(2), STILL[:1], BOX, streams(3))
    clipped = quadratic.optimum[2:].clamp(-1, 1)
    torch.testing.assert_close(plan.actions, clipped, atol=precision, rtol=0)


@pytest.mark.parametrize("bounds", [BOX, ActionBounds(-0.25, 0.125), ActionBounds(0.25, 0.875)])
def test_stays_in_the_box_whatever_the_warm_start(
    planner: Planner, quadratic: Any, streams: Streams, bounds: ActionBounds
) -> None:
    for warm_start in (STILL, STILL + 7.0, STILL - 7.0):
        actions = planner.plan(quadratic, warm_start, bounds, streams(1, 2, 3)).actions
        assert actions.shape == warm_start.shape
        assert bounds.low <= actions.min() and actions.max() <= bounds.high


def test_an_average_that_rounds_past_a_bound_is_put_back(streams: Streams) -> None:
    search = Search(lambda plans: -plans.sum((-1, -2)), STILL, BOX, streams(1, 2, 3))
    past = torch.nextafter(torch.ones(3, 1, 2, 2), torch.tensor(2.0))  # as weights that sum to 1+ε
    search.try_all(past)
    assert torch.equal(search.plan().actions, torch.ones(3, 2, 2))


def test_is_never_worse_than_the_warm_start(
    planner: Planner, quadratic: Any, streams: Streams
) -> None:
    warm_start = torch.tensor([0.3, -0.2, 0.9, 0.1]).reshape(1, 2, 2).repeat(3, 1, 1)

    def needle(actions: torch.Tensor) -> torch.Tensor:
        """Nothing is as cheap as the warm start, and its neighbours do not show it."""
        is_elsewhere = (actions - warm_start[:, None]).abs().amax((-1, -2)) > 1e-6
        return quadratic(actions) + 100.0 * is_elsewhere

    # Slopes that mislead.
    needle.linearise = quadratic.linearise  # type: ignore[attr-defined]
    needle.gradient = lambda u: (needle(u), quadratic.gradient(u)[1])  # type: ignore[attr-defined]
    plan = planner.plan(needle, warm_start, BOX, streams(1, 2, 3))
    assert torch.equal(plan.actions, warm_start)


def test_reports_the_cost_of_what_it_returns(
    planner: Planner, quadratic: Any, streams: Streams
) -> None:
    plan = planner.plan(quadratic, STILL, BOX, streams(1, 2, 3))
    torch.testing.assert_close(plan.cost, quadratic(plan.actions[:, None])[:, 0])
    assert torch.equal(plan.cost_history[-1], plan.cost)
    assert (plan.cost_history.diff(dim=0) <= 0).all()


def test_an_episode_does_not_depend_on_its_company(
    planner: Planner, quadratic: Any, streams: Streams
) -> None:
    together = planner.plan(quadratic, STILL, BOX, streams(5, 6, 7))
    for episode, seed in enumerate((5, 6, 7)):
        alone = planner.plan(quadratic.rows(episode), STILL[:1], BOX, streams(seed))
        torch.testing.assert_close(
            together.actions[episode], alone.actions[0], atol=1e-5, rtol=1e-5
        )


def test_same_streams_same_plan(planner: Planner, quadratic: Any, streams: Streams) -> None:
    first, second = (planner.plan(quadratic, STILL, BOX, streams(1, 2, 3)) for _ in range(2))
    assert torch.equal(first.actions, second.actions)


def test_draws_from_nothing_but_the_given_streams(
    planner: Planner, quadratic: Any, streams: Streams
) -> None:
    before = torch.get_rng_state()
    planner.plan(quadratic, STILL, BOX, streams(1, 2, 3))
    assert torch.equal(before, torch.get_rng_state())


def test_leaves_the_warm_start_alone(planner: Planner, quadratic: Any, streams: Streams) -> None:
    warm_start = STILL + 2.0
    planner.plan(quadratic, warm_start, BOX, streams(1, 2, 3))
    assert torch.equal(warm_start, STILL + 2.0)


@pytest.mark.parametrize("shape", [(2, 2), (1, 3, 2, 2)])
def test_a_warm_start_of_the_wrong_shape_is_refused(
    planner: Planner, quadratic: Any, streams: Streams, shape: tuple[int, ...]
) -> None:
    with pytest.raises(ValueError, match="warm start"):
        planner.plan(quadratic, torch.zeros(shape), BOX, streams(1, 2))


@pytest.mark.parametrize("seeds", [(), (1, 2), (1, 2, 3, 4)])
def test_a_wrong_number_of_streams_is_refused(
    planner: Planner, quadratic: Any, streams: Streams, seeds: tuple[int, ...]
) -> None:
    with pytest.raises(ValueError, match=f"expected 3 generators.*got {len(seeds)}"):
        planner.plan(quadratic, STILL, BOX, streams(*seeds))


def test_an_empty_box_is_refused() -> None:
    with pytest.raises(ValueError, match="low < high"):
        ActionBounds(1.0, 1.0)


class Clock:
    """Time [s] that passes only when the cost is asked."""

    def __init__(self, quadratic: Any) -> None:
        self.now_s, self._quadratic = 0.0, quadratic
        self.linearise = quadratic.linearise

    def __call__(self, actions: torch.Tensor) -> torch.Tensor:
        self.now_s += 1.0
        return self._quadratic(actions)  # type: ignore[no-any-return]

    def gradient(self, actions: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self(actions), self._quadratic.gradient(actions)[1]

    def read(self) -> float:
        return self.now_s


@pytest.mark.parametrize("after_s", [-1.0, 0.0])
def test_without_time_the_plan_is_the_warm_start_and_its_cost(
    planner: Planner, quadratic: Any, streams: Streams, after_s: float
) -> None:
    clock = Clock(quadratic)
    deadline = Deadline(after_s, clock.read)
    plan = planner.plan(clock, STILL + 7.0, BOX, streams(1, 2, 3), deadline)
    assert torch.equal(plan.actions, STILL + BOX.high)
    assert torch.equal(plan.cost, quadratic((STILL + BOX.high)[:, None])[:, 0])
    assert plan.cost_history.shape == (1, 3) and clock.now_s == 1.0


def test_nothing_begins_after_the_deadline_and_all_until_then_counts(
    planner: Planner, quadratic: Any, streams: Streams
) -> None:
    before = quadratic(STILL[:, None])[:, 0]
    for after_s in (1.0, 2.5, 4.0):
        clock = Clock(quadratic)
        plan = planner.plan(clock, STILL, BOX, streams(1, 2, 3), Deadline(after_s, clock.read))
        assert after_s <= clock.now_s < after_s + 1.0  # an iteration asks for costs once
        torch.testing.assert_close(plan.cost, quadratic(plan.actions[:, None])[:, 0])
        assert torch.equal(plan.cost_history[-1], plan.cost)
        assert (plan.cost <= before).all()  # the same streams: more time is never worse
        before = plan.cost


def test_a_deadline_far_away_changes_nothing(
    planner: Planner, quadratic: Any, streams: Streams
) -> None:
    free = planner.plan(quadratic, STILL, BOX, streams(1, 2, 3))
    timed = planner.plan(quadratic, STILL, BOX, streams(1, 2, 3), Deadline(3600.0))
    assert torch.equal(free.actions, timed.actions)
    assert torch.equal(free.cost_history, timed.cost_history)


def test_a_deadline_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="NaN"):
        Deadline(float("nan"))
