"""Other goals on the way, and what really acted."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from known_world import Points, drive

from agent.control.mpc import MPCConfig, WorldModelController
from agent.control.torch_model import TorchModel
from agent.model.world_model import WorldModel

MakePoints = Callable[[], Points]


def test_another_goal_on_the_way_is_pursued_and_reached(
    exact: WorldModel, points: MakePoints
) -> None:
    world = points()
    controller = WorldModelController(TorchModel(exact), None, MPCConfig(horizon=5))
    drive(controller, world, 10, (1, 2, 3))
    world.goal = world.goal + np.array([0.2, 0.1])
    controller.aim(world.goals())
    for _ in range(50):
        world.step(controller.act(world.seen()).actions)
    assert np.abs(world.position - world.goal).max() < 2e-3


def test_aiming_forgets_nothing_that_was_seen(exact: WorldModel, points: MakePoints) -> None:
    """The same goal given again changes no action."""
    sent = []
    for aims in (False, True):
        world = points()
        controller = WorldModelController(TorchModel(exact), None, MPCConfig(horizon=5))
        drive(controller, world, 4, (1, 2, 3))
        if aims:
            controller.aim(world.goals())
        sent.append(controller.act(world.seen()).actions)
    np.testing.assert_array_equal(*sent)


def test_one_episodes_other_goal_leaves_the_others_on_their_way(
    exact: WorldModel, points: MakePoints
) -> None:
    world = points()
    controller = WorldModelController(TorchModel(exact), None, MPCConfig(horizon=5))
    controller.reset(world.goals(), (1, 2, 3))
    told = []
    controller._detours.forget = told.append  # type: ignore[method-assign]
    world.goal[1] += 0.1
    controller.aim(world.goals())
    np.testing.assert_array_equal(told[0], [False, True, False])


def test_what_really_acted_is_what_the_model_is_shown(
    exact: WorldModel, points: MakePoints
) -> None:
    """A motor that does half of what it is told surprises, unless it says so."""
    surprises = []
    for recalls in (False, True):
        world = points()
        controller = WorldModelController(TorchModel(exact), None, MPCConfig(5, drift_gain=0.0))
        controller.reset(world.goals(), (1, 2, 3))
        worst = 0.0
        for _ in range(12):
            half = 0.5 * controller.act(world.seen()).actions
            if recalls:
                controller.recall(half.astype(np.float32))
            world.step(half)
            worst = max(worst, float(controller.surprise[0]))
        surprises.append(worst)
    assert surprises[1] < 1e-6 < 1e-4 < surprises[0]
