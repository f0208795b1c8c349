"""The closed loop, in a world whose model is exact: any misalignment would make it miss."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch

from agent.control.goal_cost import GoalCostConfig
from agent.control.mpc import MPCConfig, WorldModelController
from agent.control.plan_keeper import PlanKeeper
from agent.errors import UserError
from agent.interfaces import GoalObservation
from agent.model.world_model import WorldModel
from planners import ActionBounds, CEMPlanner, Plan, Planner

MakePoints = Callable[[], Any]


class Recorder:
    """A planner that returns what it is told and remembers what it was asked."""

    def __init__(self, plans: Sequence[torch.Tensor]) -> None:
        self.plans, self.starts, self.costs = list(plans), [], []  # type: ignore[var-annotated]

    def plan(
        self, cost_fn: Any, warm_start: torch.Tensor, bounds: Any, generators: Any, deadline: Any
    ) -> Plan:
        self.starts.append(warm_start)
        self.costs.append(cost_fn)
        actions = self.plans[len(self.starts) - 1]
        return Plan(actions, torch.zeros(len(actions)), torch.zeros(1, len(actions)))


def drive(controller: WorldModelController, world: Any, ticks: int, seeds: Sequence[int]) -> Any:
    """Torques (ticks, E, 2)."""
    sent = []
    controller.reset(world.observations(), seeds)
    for _ in range(ticks):
        sent.append(controller.act(world.observations()))
        world.step(sent[-1])
    return np.stack(sent)


@pytest.mark.parametrize("planner", [None, CEMPlanner()], ids=["gauss-newton", "cem"])
def test_comes_to_rest_at_the_goal(
    exact_model: WorldModel, points: MakePoints, planner: Planner | None
) -> None:
    world = points()
    controller = WorldModelController(exact_model, planner, MPCConfig(horizon=5))
    torques = drive(controller, world, 40, seeds=(1, 2, 3))
    assert np.abs(torques).max() <= 1.0
    tolerance = 2e-3 if planner is None else 0.05
    assert np.abs(world.position - world.goal).max() < tolerance
    assert np.abs(world.velocity).max() < tolerance


def test_a_model_that_drifts_still_leads_to_the_goal(
    exact_model: WorldModel, points: MakePoints
) -> None:
    """Offset-free: a constant error of every prediction leaves no error at rest."""
    exact = exact_model.predictor.forward
    exact_model.predictor.forward = (  # type: ignore[method-assign]
        lambda embeddings, actions: exact(embeddings, actions) + 0.02
    )
    errors = {}
    for gain in (0.0, 0.5):
        world = points()
        controller = WorldModelController(exact_model, None, MPCConfig(5, drift_gain=gain))
        drive(controller, world, 80, seeds=(1, 2, 3))
        errors[gain] = np.abs(world.position - world.goal).max()
    assert errors[0.5] < 2e-3 < 5e-3 < errors[0.0]


def test_the_model_is_shown_what_it_needs_to_predict_exactly(
    exact_model: WorldModel, points: MakePoints
) -> None:
    """At every tick, from the first on, the next two ticks come out as the model says."""
    draw = torch.Generator().manual_seed(0)
    plans = [torch.rand(3, 4, 4, generator=draw) - 0.5 for _ in range(9)]
    spy, world = Recorder(plans), points()
    controller = WorldModelController(exact_model, spy, MPCConfig(horizon=4))
    controller.reset(world.observations(), (1, 2, 3))
    seen = []
    for _ in plans:
        seen.append(world.position.copy())
        world.step(controller.act(world.observations()))
    for tick, cost in enumerate(spy.costs[:-2]):
        sent = torch.stack([plans[t][:, 0, :2] for t in (tick, tick + 1)], 1)  # (E, 2, A)
        block = sent.reshape(3, 1, 1, 4)
        predicted = exact_model.rollout(cost.now.embeddings, cost.now.past, block)[:, 0, 0]
        np.testing.assert_allclose(predicted, seen[tick + 2], atol=2e-3)


def test_an_episode_does_not_depend_on_its_company(
    exact_model: WorldModel, points: MakePoints
) -> None:
    def run(world: Any, seeds: Sequence[int]) -> Any:
        controller = WorldModelController(exact_model, CEMPlanner(), MPCConfig(horizon=4))
        return drive(controller, world, 6, seeds)

    together = run(points(), (4, 5, 6))
    for episode, seed in enumerate((4, 5, 6)):
        alone = run(points().rows(episode), (seed,))
        np.testing.assert_allclose(alone[:, 0], together[:, episode], atol=1e-4)


def test_resetting_forgets_everything(exact_model: WorldModel, points: MakePoints) -> None:
    controller = WorldModelController(exact_model, CEMPlanner(), MPCConfig(horizon=4))
    first = drive(controller, points(), 6, (1, 2, 3))
    again = drive(controller, points(), 6, (1, 2, 3))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, drive(controller, points(), 6, (7, 8, 9)))


def test_a_learned_network_gives_torques_in_the_box(learned_model: WorldModel) -> None:
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (4, 16, 16, 3), np.uint8)
    seen = [GoalObservation(frame, frames[0], np.zeros(4), np.zeros(4)) for frame in frames]
    config = MPCConfig(horizon=4, cost=GoalCostConfig(effort=0.01, change=0.01))
    controller = WorldModelController(learned_model, config=config)
    controller.reset(seen, range(4))
    for _ in range(3):
        torques = controller.act(seen)
        assert torques.shape == (4, 2) and torques.dtype == np.float64
        assert np.isfinite(torques).all() and np.abs(torques).max() <= 1.0


def test_a_model_in_training_mode_is_put_in_evaluation_mode(learned_model: WorldModel) -> None:
    assert not WorldModelController(learned_model.train()).model.training


@pytest.mark.parametrize(
    "frame",
    [
        np.zeros((8, 8, 3), np.uint8),
        np.zeros((16, 16), np.uint8),
        np.zeros((16, 16, 3), np.float32),
    ],
    ids=["size", "grey", "float"],
)
def test_frames_of_another_kind_are_refused(learned_model: WorldModel, frame: Any) -> None:
    good = np.zeros((16, 16, 3), np.uint8)
    controller = WorldModelController(learned_model)
    with pytest.raises(UserError, match=r"uint8 \(16, 16, 3\).*got"):
        controller.reset([GoalObservation(good, frame, np.zeros(4), np.zeros(4))], [0])
    controller.reset([GoalObservation(good, good, np.zeros(4), np.zeros(4))], [0])
    with pytest.raises(UserError, match=r"uint8 \(16, 16, 3\).*got"):
        controller.act([GoalObservation(frame, good, np.zeros(4), np.zeros(4))])


def test_tells_evaluation_which_world_it_is_for(learned_model: WorldModel) -> None:
    controller = WorldModelController(learned_model)
    assert (controller.render_profile, controller.image_size) == ("fast", 16)
    assert controller.action_repeat == 2


def test_the_kept_plan_moves_on_by_one_tick() -> None:
    plans = [torch.rand(2, 3, 4), torch.rand(2, 3, 4)]
    spy, keeper = Recorder(plans), PlanKeeper(3, 2, 2, seeds=(1, 2))
    assert torch.equal(keeper.improve(spy, None), plans[0][:, 0, :2])  # type: ignore[arg-type]
    assert torch.equal(keeper.improve(spy, None), plans[1][:, 0, :2])  # type: ignore[arg-type]
    assert spy.starts[0].abs().max() == 0
    ticks = plans[0].reshape(2, 6, 2)
    shifted = torch.cat([ticks[:, 1:], torch.zeros(2, 1, 2)], 1)
    assert torch.equal(spy.starts[1], shifted.reshape(2, 3, 4))


def test_each_episode_keeps_its_own_stream_from_tick_to_tick() -> None:
    drawn = []

    class Drawing(Recorder):
        def plan(
            self,
            cost_fn: Any,
            warm_start: Any,
            bounds: ActionBounds,
            generators: Any,
            deadline: Any,
        ) -> Plan:
            drawn.append([float(torch.rand(1, generator=g)) for g in generators])
            return super().plan(cost_fn, warm_start, bounds, generators, deadline)

    keeper = PlanKeeper(1, 1, 2, seeds=(5, 6))
    for _ in range(2):
        keeper.improve(Drawing([torch.zeros(2, 1, 2)]), None)  # type: ignore[arg-type]
    for episode, seed in enumerate((5, 6)):
        stream = torch.Generator().manual_seed(seed)
        assert [row[episode] for row in drawn] == torch.rand(2, generator=stream).tolist()
