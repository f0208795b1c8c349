"""Late torques, late plans, wrong models: what must hold on a robot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch

from agent.control.goal_cost import EmbeddingGoalCost, GoalCostConfig, Situation
from agent.control.mpc import MPCConfig, WorldModelController
from agent.control.watch import TickWatch
from agent.errors import ModelFaultError
from agent.model.world_model import WorldModel

MakePoints = Callable[[], Any]


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def drive_late(controller: WorldModelController, world: Any, ticks: int, delay: int) -> None:
    """Every torque acts ``delay`` ticks after it was decided."""
    controller.reset(world.observations(), (1, 2, 3))
    queue: list[np.ndarray] = [np.zeros((3, 2))] * delay
    for _ in range(ticks):
        queue.append(controller.act(world.observations()))
        world.step(queue.pop(0))


@pytest.mark.parametrize("delay", [1, 2, 3])
def test_known_delays_are_planned_for(
    exact_model: WorldModel, points: MakePoints, delay: int
) -> None:
    world = points()
    drive_late(
        WorldModelController(exact_model, None, MPCConfig(6, delay_ticks=delay)), world, 60, delay
    )
    assert np.abs(world.position - world.goal).max() < 2e-3
    assert np.abs(world.velocity).max() < 2e-3


def test_an_unknown_delay_is_worse(exact_model: WorldModel, points: MakePoints) -> None:
    errors = []
    for known in (3, 0):
        world = points()
        controller = WorldModelController(exact_model, None, MPCConfig(6, delay_ticks=known))
        drive_late(controller, world, 40, 3)
        errors.append(np.abs(world.position - world.goal).max())
    assert errors[0] < 0.01 < errors[1]


def test_a_delay_beyond_the_horizon_is_refused(exact_model: WorldModel) -> None:
    with pytest.raises(ValueError, match="delay_ticks below the horizon of 2 model steps, got 4"):
        WorldModelController(exact_model, None, MPCConfig(2, delay_ticks=4))


@pytest.mark.parametrize("where", ["encoder", "predictor"])
def test_nan_never_reaches_the_motor(
    exact_model: WorldModel, points: MakePoints, where: str
) -> None:
    world, controller = points(), WorldModelController(exact_model, None, MPCConfig(4))
    controller.reset(world.observations(), (1, 2, 3))
    for _ in range(3):
        world.step(controller.act(world.observations()))
    part = getattr(exact_model, where)
    part.forward = poisoned(part.forward)
    torques = controller.act(world.observations())
    assert (torques[1] == 0).all() and np.isfinite(torques).all()
    assert np.abs(torques[0]).max() > 0  # the others go on
    assert controller.fault is not None and "episode 1 of 3" in controller.fault
    with pytest.raises(ModelFaultError, match="not finite: zero torque"):
        controller.act(world.observations())


def poisoned(forward: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    def give(*inputs: torch.Tensor) -> torch.Tensor:
        result = forward(*inputs).clone()
        result[1] = torch.nan
        return result

    return give


def test_a_reset_clears_the_fault(exact_model: WorldModel, points: MakePoints) -> None:
    world, controller = points(), WorldModelController(exact_model, None, MPCConfig(4))
    controller.reset(world.observations(), (1, 2, 3))
    controller.fault = "something"
    controller.reset(world.observations(), (1, 2, 3))
    assert np.isfinite(controller.act(world.observations())).all()


def test_ticks_that_take_too_long_are_counted() -> None:
    clock = Clock()
    watch = TickWatch(20.0, clock)
    for spent_s in (0.010, 0.019, 0.021, 0.5):
        with watch.tick() as deadline:
            assert deadline is not None and not deadline.passed()
            clock.now_s += spent_s
            assert deadline.passed() == (spent_s > 0.02)
    assert (watch.ticks, watch.missed) == (4, 2)


def test_without_a_limit_no_tick_is_missed() -> None:
    clock = Clock()
    watch = TickWatch(None, clock)
    with watch.tick() as deadline:
        clock.now_s += 100.0
    assert deadline is None and (watch.ticks, watch.missed) == (1, 0)
    with pytest.raises(ValueError, match="tick_ms > 0"):
        TickWatch(0.0)


def test_out_of_time_the_kept_plan_goes_on(exact_model: WorldModel, points: MakePoints) -> None:
    world = points()
    controller = WorldModelController(exact_model, None, MPCConfig(5, tick_ms=1e-6))
    controller.reset(world.observations(), (1, 2, 3))
    assert (controller.act(world.observations()) == 0).all()  # nothing was ever searched
    assert (controller.watch.ticks, controller.watch.missed) == (1, 1)


def test_a_model_that_errs_is_trusted_for_fewer_steps(
    exact_model: WorldModel, points: MakePoints
) -> None:
    world = points()
    controller = WorldModelController(exact_model, None, MPCConfig(8, surprise_limit=0.01))
    controller.reset(world.observations(), (1, 2, 3))
    reaches = []
    for tick in range(12):
        world.step(controller.act(world.observations()))
        if tick == 8:
            world.position[0] += 0.3  # somebody pushes the first one
        reach = controller._situation().reach
        assert reach is not None
        reaches.append(reach.tolist())
    assert np.array(reaches)[:9].min() == 8
    assert np.array(reaches)[9:, 0].min() <= 2 and np.array(reaches)[9:, 1:].min() == 8


SHAPES: Sequence[Any] = ("summed", "terminal", "minimum")


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("reach", [None, 2])
def test_each_shape_counts_the_distances_it_says(
    learned_model: WorldModel, shape: Any, reach: int | None
) -> None:
    config = GoalCostConfig(effort=0.0, change=0.0, shape=shape)
    cost, plans, distances = posed(learned_model, config, reach)
    trusted = distances[..., : reach or 4]
    expected = {
        "summed": trusted.mean(-1), "terminal": trusted[..., -1], "minimum": trusted.amin(-1),
    }[shape]  # fmt: skip
    torch.testing.assert_close(cost(plans), expected)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_has_the_slope_of_automatic_differentiation(
    learned_model: WorldModel, shape: Any
) -> None:
    config = GoalCostConfig(effort=0.1, change=0.2, speed=0.5, shape=shape)
    cost, plans, _ = posed(learned_model.double(), config, 3)
    residuals, jacobian = cost.linearise(plans[:, 0])
    costs, slopes = cost.gradient(plans[:, :1])
    torch.testing.assert_close(residuals.square().sum(-1), costs[:, 0])
    slope = 2 * torch.einsum("erp,er->ep", jacobian, residuals)
    torch.testing.assert_close(slope, slopes[:, 0].flatten(1), rtol=1e-8, atol=1e-10)


def test_torques_on_their_way_cannot_be_changed(learned_model: WorldModel) -> None:
    draw = torch.Generator().manual_seed(2)
    seen, past, goals = (torch.randn(2, *s, generator=draw) for s in ((3, 5), (2, 4), (5,)))
    pending = torch.rand(2, 3, 2, generator=draw)  # a block and a half
    cost = EmbeddingGoalCost(
        learned_model, Situation(seen, past, goals, pending=pending), GoalCostConfig()
    )
    plans = torch.rand(2, 1, 4, 4, generator=draw)
    other = plans.clone()
    other.flatten(2)[..., :6] += 0.5
    torch.testing.assert_close(cost(plans), cost(other))
    assert (cost.linearise(plans[:, 0])[1][..., :6] == 0).all()
    other.flatten(2)[..., 6] += 0.5
    assert (cost(plans) != cost(other)).all()


def posed(
    model: WorldModel, config: GoalCostConfig, reach: int | None
) -> tuple[EmbeddingGoalCost, torch.Tensor, torch.Tensor]:
    """A cost, plans (2, 3, 4, 4), and the squared distances (2, 3, 4) along them."""
    draw, dtype = torch.Generator().manual_seed(1), model.goal_metric.dtype
    shapes = ((3, 5), (2, 4), (5,), (3, 4, 4))
    seen, past, goals, plans = (
        torch.randn(2, *shape, generator=draw, dtype=dtype) for shape in shapes
    )
    trusted = None if reach is None else torch.full((2,), float(reach))
    cost = EmbeddingGoalCost(model, Situation(seen, past, goals, reach=trusted), config)
    offsets = (model.rollout(seen, past, plans) - goals[:, None, None]) @ model.goal_metric
    return cost, plans, offsets.square().sum(-1).detach()
