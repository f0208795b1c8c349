"""The plan from one tick to the next."""

from __future__ import annotations

import numpy as np
import pytest
from known_world import Array
from recorder import Recorder

from agent.control.plan_keeper import PlanKeeper
from agent.errors import UserError
from planners import ActionBounds, CostFn, Deadline, Noise, Plan, SeededNoise


def test_the_kept_plan_moves_on_by_one_tick() -> None:
    plans = list(np.random.default_rng(0).uniform(-1, 1, (2, 2, 3, 2, 2)).astype(np.float32))
    spy, keeper = Recorder(plans), PlanKeeper((3, 2, 2), seeds=(1, 2))
    for plan in plans:
        np.testing.assert_array_equal(keeper.improve(spy, None), plan[:, 0, 0])  # type: ignore[arg-type]
    assert not spy.starts[0].any()
    ticks = plans[0].reshape(2, 6, 2)
    shifted = np.concatenate([ticks[:, 1:], np.zeros((2, 1, 2))], 1)
    np.testing.assert_array_equal(spy.starts[1], shifted.reshape(2, 3, 2, 2))


def test_what_is_on_its_way_is_the_beginning_of_the_plan() -> None:
    plan = np.ones((2, 3, 2, 2), np.float32)
    keeper = PlanKeeper((3, 2, 2), seeds=(1, 2), delay=2)
    pending = np.full((2, 2, 2), 0.25, np.float32)
    sent = keeper.improve(Recorder([plan]), None, pending=pending)  # type: ignore[arg-type]
    assert (sent == 1).all() and (plan == 1).all()
    assert keeper.searched[0, :, 0].tolist() == [0.25, 0.25, 1, 1, 1, 1]
    assert keeper.plan[0, :, 0].tolist() == [0.25, 1, 1, 1, 1, 0]


def test_each_episode_keeps_its_own_stream_from_tick_to_tick() -> None:
    drawn = []

    class Drawing(Recorder):
        def plan(
            self,
            cost_fn: CostFn,
            warm_start: Array,
            bounds: ActionBounds,
            noise: Noise,
            deadline: Deadline | None = None,
        ) -> Plan:
            drawn.append(noise.normal((1,))[:, 0])
            return super().plan(cost_fn, warm_start, bounds, noise, deadline)

    keeper = PlanKeeper((1, 1, 2), seeds=(5, 6))
    for _ in range(2):
        keeper.improve(Drawing([np.zeros((2, 1, 1, 2), np.float32)]), None)  # type: ignore[arg-type]
    for episode, seed in enumerate((5, 6)):
        expected = SeededNoise((seed,)).normal((2,))[0]
        np.testing.assert_array_equal([row[episode] for row in drawn], expected)


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (None, "return a planners.Plan, got NoneType"),
        (np.zeros((2, 3, 2, 2)), "return a planners.Plan, got ndarray"),
        (Plan(np.zeros((2, 3, 2)), np.zeros(2), np.zeros((1, 2))), "actions .* got .2, 3, 2"),
        (Plan(np.zeros((2, 3, 2, 2)), np.zeros(()), np.zeros((1, 2))), "cost .* got .."),
        (Plan(np.full((2, 3, 2, 2), 5.0), np.zeros(2), np.zeros((1, 2))), "in .-1, 1. .* got 5"),
    ],
)
def test_a_plan_that_is_none_reaches_no_motor(found: object, told: str) -> None:
    class Mine:
        def plan(self, *unused: object) -> object:
            return found

    keeper = PlanKeeper((3, 2, 2), seeds=(1, 2))
    with pytest.raises(UserError, match=f"{told}"):
        keeper.improve(Mine(), None)  # type: ignore[arg-type]
