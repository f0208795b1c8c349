"""The closed loop, in a world whose model is exact: any misalignment would make it miss."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from known_world import SIZE, Array, Points, drive, learned_network
from recorder import Recorder

from agent.control.goal_cost import GoalCostConfig
from agent.control.model import Situation
from agent.control.mpc import MPCConfig, WorldModelController
from agent.control.torch_model import TorchModel
from agent.errors import UserError
from agent.interfaces import Goals, Seen
from agent.model.world_model import WorldModel
from planners import (
    CEMPlanner,
    Planner,
)

MakePoints = Callable[[], Points]


@pytest.mark.parametrize("planner", [None, CEMPlanner()], ids=["gauss-newton", "cem"])
def test_comes_to_rest_at_the_goal(
    exact: WorldModel, points: MakePoints, planner: Planner | None
) -> None:
    world = points()
    controller = WorldModelController(TorchModel(exact), planner, MPCConfig(horizon=5))
    actions = drive(controller, world, 40, seeds=(1, 2, 3))
    assert np.abs(actions).max() <= 1.0
    tolerance = 2e-3 if planner is None else 0.05
    assert np.abs(world.position - world.goal).max() < tolerance
    assert np.abs(world.velocity).max() < tolerance


def test_a_model_that_drifts_still_leads_to_the_goal(exact: WorldModel, points: MakePoints) -> None:
    """Offset-free: a constant error of every prediction leaves no error at rest."""
    right = exact.predictor.forward
    exact.predictor.forward = (  # type: ignore[method-assign]
        lambda embeddings, actions: right(embeddings, actions) + 0.02
    )
    errors = {}
    for gain in (0.0, 0.5):
        world = points()
        controller = WorldModelController(TorchModel(exact), None, MPCConfig(5, drift_gain=gain))
        drive(controller, world, 80, seeds=(1, 2, 3))
        errors[gain] = np.abs(world.position - world.goal).max()
    assert errors[0.5] < 2e-3 < 5e-3 < errors[0.0]


def test_the_model_is_shown_what_it_needs_to_predict_exactly(
    exact: WorldModel, points: MakePoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At every tick, from the first on, the next two ticks come out as the model says."""
    shown: list[Situation] = []
    plans = list(np.random.default_rng(0).uniform(-0.5, 0.5, (9, 3, 4, 2, 2)).astype(np.float32))
    model, world = TorchModel(exact), points()
    controller = WorldModelController(model, Recorder(plans), MPCConfig(horizon=4))
    controller.reset(world.goals(), (1, 2, 3))
    monkeypatch.setattr(
        "agent.control.mpc.GoalCost", lambda model, now, *rest: shown.append(now) or now
    )
    seen = []
    for _ in plans:
        seen.append(world.position.copy())
        world.step(controller.act(world.seen()).actions)
    for tick, now in enumerate(shown[:-2]):
        sent = np.stack([plans[t][:, 0, 0] for t in (tick, tick + 1)], 1)  # (E, 2, A)
        offsets = model.rollout(now, sent.reshape(3, 1, 1, 4))[:, 0, 0]
        np.testing.assert_allclose(offsets + now.goals, seen[tick + 2], atol=2e-3)


def test_an_episode_does_not_depend_on_its_company(exact: WorldModel, points: MakePoints) -> None:
    def run(world: Points, seeds: Sequence[int]) -> Array:
        controller = WorldModelController(TorchModel(exact), CEMPlanner(), MPCConfig(horizon=4))
        return drive(controller, world, 6, seeds)

    together = run(points(), (4, 5, 6))
    for episode, seed in enumerate((4, 5, 6)):
        alone = run(points().rows(episode), (seed,))
        np.testing.assert_allclose(alone[:, 0], together[:, episode], atol=1e-4)


def test_resetting_forgets_everything(exact: WorldModel, points: MakePoints) -> None:
    controller = WorldModelController(TorchModel(exact), CEMPlanner(), MPCConfig(horizon=4))
    first = drive(controller, points(), 6, (1, 2, 3))
    again = drive(controller, points(), 6, (1, 2, 3))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, drive(controller, points(), 6, (7, 8, 9)))


@pytest.mark.parametrize(("action_dim", "block"), [(2, 2), (1, 1), (5, 3), (1, 3)])
@pytest.mark.parametrize("planner", [None, CEMPlanner(16, 2, 4)])
def test_a_learned_network_gives_actions_in_the_box(
    action_dim: int, block: int, planner: Planner | None
) -> None:
    frames = np.random.default_rng(0).integers(0, 256, (4, SIZE, SIZE, 3), np.uint8)
    config = MPCConfig(horizon=4, cost=GoalCostConfig(effort=0.01, change=0.01))
    network = learned_network(action_dim=action_dim, action_block=block)
    controller = WorldModelController(TorchModel(network), planner, config)
    controller.reset(Goals(pixels=frames[[0, 0, 0, 0]]), range(4))
    for _ in range(3):
        actions = controller.act(Seen(pixels=frames)).actions
        assert actions.shape == (4, action_dim) and actions.dtype == np.float64
        assert np.isfinite(actions).all() and np.abs(actions).max() <= 1.0
    assert controller.plan.shape == (4, 4 * block, action_dim)


@pytest.mark.parametrize(
    "frame",
    [
        np.zeros((8, 8, 3), np.uint8),
        np.zeros((16, 16), np.uint8),
        np.zeros((16, 16, 3), np.float32),
    ],
    ids=["size", "grey", "float"],
)
def test_frames_of_another_kind_are_refused(learned: WorldModel, frame: Any) -> None:
    good = np.zeros((1, 16, 16, 3), np.uint8)
    controller = WorldModelController(TorchModel(learned))
    with pytest.raises(UserError, match=r"uint8 \(16, 16, 3\).*got"):
        controller.reset(Goals(pixels=frame[None]), [0])
    controller.reset(Goals(pixels=good), [0])
    with pytest.raises(UserError, match=r"uint8 \(16, 16, 3\).*got"):
        controller.act(Seen(pixels=frame[None]))
    with pytest.raises(UserError, match=r"uint8 \(16, 16, 3\).*got"):
        controller.aim(Goals(pixels=frame[None]))


def test_tells_evaluation_which_world_it_is_for(learned: WorldModel) -> None:
    needs = WorldModelController(TorchModel(learned)).needs
    assert needs.pixels and not needs.state and needs.tasks is None
    assert needs.spec == learned.spec
