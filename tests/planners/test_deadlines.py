"""What every planner makes of the time it is given."""

from __future__ import annotations

import numpy as np
import pytest
from known_costs import Array, Quadratic

from planners import ActionBounds, Deadline, Plan, Planner, SeededNoise

BOX = ActionBounds()
STILL = np.zeros((3, 2, 1, 2), np.float32)


class Clock:
    """A cost, and time [s] that passes only when it is asked."""

    def __init__(self, quadratic: Quadratic) -> None:
        self.now_s, self._quadratic = 0.0, quadratic
        self.linearise = quadratic.linearise

    def __call__(self, plans: Array) -> Array:
        self.now_s += 1.0
        return self._quadratic(plans)

    def read(self) -> float:
        return self.now_s


def search(planner: Planner, clock: Clock, start: Array, after_s: float) -> Plan:
    deadline = Deadline(after_s, clock.read)
    return planner.plan(clock, start, BOX, SeededNoise((1, 2, 3)), deadline)


@pytest.mark.parametrize("after_s", [-1.0, 0.0])
def test_without_time_the_plan_is_the_warm_start_and_its_cost(
    planner: Planner, quadratic: Quadratic, after_s: float
) -> None:
    clock = Clock(quadratic)
    plan = search(planner, clock, STILL + 7.0, after_s)
    edge = np.full_like(STILL, BOX.high)
    np.testing.assert_array_equal(plan.actions, edge)
    np.testing.assert_array_equal(plan.cost, quadratic(edge[:, None])[:, 0])
    assert plan.cost_history.shape == (1, 3) and clock.now_s == 1.0


def test_all_that_ends_by_the_deadline_counts_and_nothing_else_begins(
    planner: Planner, quadratic: Quadratic
) -> None:
    before = quadratic(STILL[:, None])[:, 0]
    for after_s in (0.5, 1.0, 2.5, 4.0):  # how long the first takes is not known before it
        clock = Clock(quadratic)
        plan = search(planner, clock, STILL, after_s)
        assert clock.now_s == max(1.0, np.floor(after_s))  # an iteration asks for costs once
        np.testing.assert_allclose(plan.cost, quadratic(plan.actions[:, None])[:, 0], rtol=1e-5)
        np.testing.assert_array_equal(plan.cost_history[-1], plan.cost)
        assert (plan.cost <= before).all()  # the same streams: more time is never worse
        before = plan.cost


def test_a_deadline_far_away_changes_nothing(planner: Planner, quadratic: Quadratic) -> None:
    free = planner.plan(quadratic, STILL, BOX, SeededNoise((1, 2, 3)))
    timed = planner.plan(quadratic, STILL, BOX, SeededNoise((1, 2, 3)), Deadline(3600.0))
    np.testing.assert_array_equal(free.actions, timed.actions)
    np.testing.assert_array_equal(free.cost_history, timed.cost_history)


def test_a_deadline_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="NaN"):
        Deadline(float("nan"))
