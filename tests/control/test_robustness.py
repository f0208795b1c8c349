"""Late actions, late plans, wrong models: what must hold on a robot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from known_world import Array, Points

from agent.control.mpc import MPCConfig, WorldModelController
from agent.control.torch_model import TorchModel
from agent.control.watch import TickWatch
from agent.errors import ModelFaultError
from agent.model.world_model import WorldModel

MakePoints = Callable[[], Points]


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def controller_of(network: WorldModel, horizon: int, **settings: Any) -> WorldModelController:
    return WorldModelController(TorchModel(network), None, MPCConfig(horizon, **settings))


def drive_late(controller: WorldModelController, world: Points, ticks: int, delay: int) -> None:
    """Every action acts ``delay`` ticks after it was decided."""
    controller.reset(world.goals(), (1, 2, 3))
    queue: list[Array] = [np.zeros((3, 2))] * delay
    for _ in range(ticks):
        queue.append(controller.act(world.seen()).actions)
        world.step(queue.pop(0))


@pytest.mark.parametrize("delay", [1, 2, 3])
def test_known_delays_are_planned_for(exact: WorldModel, points: MakePoints, delay: int) -> None:
    world = points()
    drive_late(controller_of(exact, 6, delay_ticks=delay), world, 60, delay)
    assert np.abs(world.position - world.goal).max() < 2e-3
    assert np.abs(world.velocity).max() < 2e-3


def test_an_unknown_delay_is_worse(exact: WorldModel, points: MakePoints) -> None:
    errors = []
    for known in (3, 0):
        world = points()
        drive_late(controller_of(exact, 6, delay_ticks=known), world, 40, 3)
        errors.append(np.abs(world.position - world.goal).max())
    assert errors[0] < 0.01 < errors[1]


def test_a_delay_beyond_the_horizon_is_refused(exact: WorldModel) -> None:
    with pytest.raises(ValueError, match="delay_ticks below the 4 ticks that are planned, got 4"):
        controller_of(exact, 2, delay_ticks=4)


@pytest.mark.parametrize("where", ["encoder", "predictor"])
@pytest.mark.parametrize("wrong", [torch.nan, torch.inf])
def test_what_is_not_finite_never_reaches_the_motor(
    exact: WorldModel, points: MakePoints, where: str, wrong: float
) -> None:
    world, controller = points(), controller_of(exact, 4)
    controller.reset(world.goals(), (1, 2, 3))
    for _ in range(3):
        decision = controller.act(world.seen())
        assert decision.fault is None
        world.step(decision.actions)
    part = getattr(exact, where)
    part.forward = poisoned(part.forward, wrong)
    decision = controller.act(world.seen())
    assert (decision.actions[1] == 0).all() and np.isfinite(decision.actions).all()
    assert np.abs(decision.actions[0]).max() > 0  # the others go on
    assert decision.fault is not None and "episode 1 of 3" in decision.fault
    with pytest.raises(ModelFaultError, match="not finite: zero action"):
        controller.act(world.seen())


def poisoned(forward: Callable[..., torch.Tensor], wrong: float) -> Callable[..., torch.Tensor]:
    def give(*inputs: torch.Tensor) -> torch.Tensor:
        result = forward(*inputs).clone()
        result[1] = wrong
        return result

    return give


def test_a_reset_clears_the_fault(exact: WorldModel, points: MakePoints) -> None:
    world, controller = points(), controller_of(exact, 4)
    controller.reset(world.goals(), (1, 2, 3))
    right = exact.encoder.forward
    exact.encoder.forward = poisoned(right, torch.nan)  # type: ignore[method-assign]
    assert controller.act(world.seen()).fault is not None
    exact.encoder.forward = right  # type: ignore[method-assign]
    controller.reset(world.goals(), (1, 2, 3))
    decision = controller.act(world.seen())
    assert decision.fault is None and np.isfinite(decision.actions).all()


def test_a_tick_that_takes_too_long_is_late() -> None:
    clock = Clock()
    watch = TickWatch(20.0, clock)
    for spent_s in (0.010, 0.019, 0.021, 0.5):
        with watch.tick() as deadline:
            assert deadline is not None and not deadline.passed()
            clock.now_s += spent_s
            assert deadline.passed() == (spent_s > 0.02)
        assert watch.was_late == (spent_s > 0.02)


def test_without_a_limit_no_tick_is_missed() -> None:
    clock = Clock()
    watch = TickWatch(None, clock)
    with watch.tick() as deadline:
        clock.now_s += 100.0
    assert deadline is None and not watch.was_late
    with pytest.raises(ValueError, match="tick_ms > 0"):
        TickWatch(0.0)


def test_out_of_time_the_kept_plan_goes_on(exact: WorldModel, points: MakePoints) -> None:
    world, controller = points(), controller_of(exact, 5, tick_ms=1e-6)
    controller.reset(world.goals(), (1, 2, 3))
    decision = controller.act(world.seen())
    assert (decision.actions == 0).all()  # nothing was ever searched
    assert decision.late and decision.fault is None


def test_with_time_enough_no_decision_is_late(exact: WorldModel, points: MakePoints) -> None:
    world, controller = points(), controller_of(exact, 5, tick_ms=1e6)
    controller.reset(world.goals(), (1, 2, 3))
    decision = controller.act(world.seen())
    assert not decision.late and np.abs(decision.actions).max() > 0


def test_a_model_that_errs_is_trusted_for_fewer_steps(
    exact: WorldModel, points: MakePoints
) -> None:
    for wrong in (0.0, np.inf, np.nan):
        with pytest.raises(ValueError, match="surprise_limit"):
            MPCConfig(surprise_limit=wrong)
    world, controller = points(), controller_of(exact, 8, surprise_limit=0.01)
    controller.reset(world.goals(), (1, 2, 3))
    reaches = []
    for tick in range(12):
        world.step(controller.act(world.seen()).actions)
        if tick == 8:
            world.position[0] += 0.3  # somebody pushes the first one
        reaches.append(controller._situation().reach)
    assert np.array(reaches)[:9].min() == 8
    assert np.array(reaches)[9:, 0].min() <= 2 and np.array(reaches)[9:, 1:].min() == 8
