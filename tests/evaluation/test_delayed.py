"""Actions that come late, and models that break down, seen from the evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

import numpy as np
import pytest
from point_world import PACE, FromTo, PointWorld, Scripted

from agent.control.delay_line import DelayedController
from agent.errors import ModelFaultError
from agent.evaluation.play import Arena, Moment, evaluate
from agent.interfaces import Decision, Goals, Needs, Seen
from envs.anywhere import Anywhere


class Counting:
    """Sends the number of the tick, in thousandths, always in the same array."""

    name, needs = "counting", Needs(pixels=False, tasks=("anywhere",))

    def reset(self, goals: Goals, seeds: Sequence[int]) -> None:
        self.goals, self.seeds, self.ticks = goals, list(seeds), 0
        self.actions = np.zeros((2, 2))

    def act(self, seen: Seen) -> Decision:
        self.ticks += 1
        self.actions[:] = self.ticks / 1000
        return Decision(self.actions, late=self.ticks == 3)


@pytest.mark.parametrize("delay", [0, 1, 3])
def test_actions_come_out_in_order_and_late(delay: int) -> None:
    controller = DelayedController(Counting(), delay)
    for _ in range(2):  # a reset empties the line
        controller.reset(Goals(), [1, 2])
        sent = [controller.act(Seen()).actions[:, 0] for _ in range(6)]
        expected = [max(0, tick - delay) / 1000 for tick in range(1, 7)]
        np.testing.assert_allclose(np.stack(sent), np.repeat(np.array(expected)[:, None], 2, 1))


def test_all_else_is_the_controllers_own() -> None:
    inner = Counting()
    controller = DelayedController(inner, 2)
    assert (controller.name, controller.needs) == ("counting", inner.needs)
    goals = Goals(state=np.ones((2, 2)))
    controller.reset(goals, [4, 5])
    assert inner.goals is goals and inner.seeds == [4, 5]
    assert [controller.act(Seen()).late for _ in range(4)] == [False, False, True, False]
    with pytest.raises(ValueError, match="ticks >= 0"):
        DelayedController(inner, -1)


def test_a_world_feels_late_actions_late() -> None:
    moments: list[Moment] = []
    task, late = FromTo([0.0], [1.0], 5), DelayedController(Scripted(np.ones((1, 1))), 2)
    with closing(Arena(late, task, PointWorld, moments.append)) as arena:
        arena.play([task.episode(arena.world, 0, 0)])
    travelled = [float(moment.after[0, 0]) / PACE for moment in moments]
    assert travelled == [0, 0, 1, 2, 3]


@pytest.mark.parametrize("delay", [0, 2])
def test_a_fault_stops_the_evaluation(delay: int) -> None:
    breaking = Scripted(np.zeros((1, 1)), fault_at=4)
    with pytest.raises(ModelFaultError, match="'scripted', step 4: not finite"):
        evaluate(DelayedController(breaking, delay), Anywhere(9), PointWorld, 1, 5)
