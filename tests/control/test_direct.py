"""The action head: alone, and what it learns in imagination."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest
import torch
from known_world import Points

from agent.control.delay_line import DelayLine
from agent.control.direct import DirectController
from agent.control.model import Situation
from agent.control.torch_model import TorchModel
from agent.errors import ModelFaultError, UserError
from agent.interfaces import FloatArray
from agent.model.head import GoalHead, HeadConfig
from agent.model.world_model import WorldModel
from agent.training.head import Moments, train_head
from agent.training.settings import HeadTraining

MakePoints = Callable[[], Points]


@pytest.fixture
def headed(exact: WorldModel) -> WorldModel:
    """The point's own model with an untrained head."""
    torch.manual_seed(0)
    exact.config = replace(exact.config, head=HeadConfig(width=32, blocks=1))
    exact.head = GoalHead(exact.config.head, 3, 2, 4)
    return exact.eval()


def recorded(count: int = 400) -> Moments:
    """Moments of points at rest and in motion."""
    draw = torch.Generator().manual_seed(0)
    now, speed = (torch.randn(count, 1, 2, generator=draw) for _ in range(2))
    back = torch.tensor([2.0, 1.0, 0.0])[None, :, None]
    return Moments(now - 0.1 * back * speed, torch.zeros(count, 2, 4), torch.arange(count))


def test_it_learns_in_imagination_to_reach_the_goal(headed: WorldModel, points: MakePoints) -> None:
    loss = train_head(headed, recorded(), HeadTraining(400, 64, 8, learning_rate=3e-3), seed=0)
    assert loss < -2.0  # log of the squared distance, averaged over the way
    world = points()
    controller = DirectController(TorchModel(headed))
    controller.reset(world.goals(), (1, 2, 3))
    for _ in range(60):
        world.step(controller.act(world.seen()).actions)
    assert np.abs(world.position - world.goal).max() < 0.1


def test_teaching_repeats_and_touches_the_head_alone(headed: WorldModel) -> None:
    before = {name: value.clone() for name, value in headed.state_dict().items()}
    settings = HeadTraining(steps=5, batch=8, horizon=3)
    losses = []
    for _ in range(2):
        headed.load_state_dict(before)
        losses.append(train_head(headed, recorded(), settings, seed=3))
    assert losses[0] == losses[1]
    changed = {n for n, value in headed.state_dict().items() if not torch.equal(value, before[n])}
    assert changed and all(name.startswith("head.") for name in changed)


def test_it_sends_the_first_action_of_the_heads_block(
    headed: WorldModel, points: MakePoints
) -> None:
    """On the first tick nothing has moved, and nothing was done."""
    world, controller = points(), DirectController(TorchModel(headed))
    controller.reset(world.goals(), (1, 2, 3))
    decision = controller.act(world.seen())
    still = torch.from_numpy(world.position).float()[:, None].expand(-1, 3, -1)
    goals = torch.from_numpy(world.goal).float()
    assert headed.head is not None
    with torch.no_grad():
        block = headed.head(still, torch.zeros(3, 2, 4), goals)
    np.testing.assert_allclose(decision.actions, block[:, :2], atol=1e-3)
    assert decision.actions.dtype == np.float64 and not decision.late
    assert controller.needs.pixels and controller.needs.spec == headed.spec


def pushed_aside(situation: Situation) -> FloatArray:
    """A spring to the goal, damped, and a constant push: at rest by 0.1 beside it."""
    now, before = situation.embeddings[:, -1], situation.embeddings[:, -2]
    push = situation.goals - now - 3 * (now - before) + 0.1
    return np.tile(push.clip(-1, 1), 2).astype(np.float32)


@pytest.mark.parametrize(("gain", "offset"), [(0.0, 0.1), (0.15, 0.0)])
def test_it_comes_to_rest_at_the_goal_whatever_the_head_errs(
    gain: float, offset: float, headed: WorldModel, points: MakePoints,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("agent.control.direct._GAIN", gain)
    world, model = points(), TorchModel(headed)
    monkeypatch.setattr(model, "propose", pushed_aside)
    controller = DirectController(model)
    controller.reset(world.goals(), (1, 2, 3))
    for _ in range(300):
        world.step(controller.act(world.seen()).actions)
    np.testing.assert_allclose(world.position - world.goal, offset, atol=2e-3)


def shown(
    headed: WorldModel, monkeypatch: pytest.MonkeyPatch
) -> tuple[DirectController, list[FloatArray]]:
    """A controller that never acts, and the goals that its head is shown, tick by tick."""
    model, goals = TorchModel(headed), list[FloatArray]()

    def propose(now: Situation) -> FloatArray:
        goals.append(now.goals)
        return np.zeros((3, 4), np.float32)

    monkeypatch.setattr(model, "propose", propose)
    return DirectController(model), goals


def test_what_lacked_is_forgotten_far_from_the_goal_and_with_it(
    headed: WorldModel, points: MakePoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, controller, seen = points(), *shown(headed, monkeypatch)
    controller.reset(world.goals(), (1, 2, 3))
    world.position[:2] = [0.2, -0.1], 9.0 * world.goal[1]
    for _ in range(5):
        controller.act(world.seen())
    lacking = controller.goals - controller.model.encode(world.seen().pixels)
    np.testing.assert_allclose(seen[-1][0], controller.goals[0] + 5 * 0.15 * lacking[0], atol=1e-5)
    np.testing.assert_array_equal(seen[-1][1], controller.goals[1])
    controller.aim(world.goals())  # the same: what lacks still does
    controller.act(world.seen())
    np.testing.assert_allclose(seen[-1][0], controller.goals[0] + 6 * 0.15 * lacking[0], atol=1e-5)
    world.goal[0] += 0.05
    controller.aim(world.goals())
    controller.act(world.seen())
    lacking = controller.goals - controller.model.encode(world.seen().pixels)
    np.testing.assert_allclose(seen[-1][0], controller.goals[0] + 0.15 * lacking[0], atol=1e-5)


def test_nothing_winds_up_where_the_world_is_held_fast(
    headed: WorldModel, points: MakePoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, controller, seen = points(), *shown(headed, monkeypatch)
    controller.reset(world.goals(), (1, 2, 3))
    world.position[0] = [0.2, -0.1]
    for _ in range(400):
        controller.act(world.seen())
    beyond = np.sqrt(np.square(seen[-1] - controller.goals).mean(-1))
    np.testing.assert_allclose(beyond, [1.0, 0.0, 0.0], atol=1e-2)


def test_a_model_without_a_head_is_refused(exact: WorldModel) -> None:
    with pytest.raises(UserError, match="with an action head, got one without"):
        DirectController(TorchModel(exact))


def test_nan_never_reaches_the_motor(headed: WorldModel, points: MakePoints) -> None:
    world, controller = points(), DirectController(TorchModel(headed))
    controller.reset(world.goals(), (1, 2, 3))
    assert headed.head is not None
    torch.nn.init.constant_(headed.head.read.bias, torch.nan)
    decision = controller.act(world.seen())
    assert (decision.actions == 0).all() and decision.fault is not None
    with pytest.raises(ModelFaultError):
        controller.act(world.seen())


class Errors:
    """In place of a guard: what was not foreseen, tick by tick."""

    found: ClassVar[list[float]] = []

    def __init__(self, _: object, episodes: int, __: int) -> None:
        self.held = [None] * episodes

    def look(self, _: object, __: object, errors: FloatArray | None, *___: object) -> None:
        self.found.append(0.0 if errors is None else float(np.square(errors).mean()))


@pytest.mark.parametrize("told", [0, 3])
def test_it_foresees_what_acts_late(
    told: int, headed: WorldModel, points: MakePoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.control.perception.SightGuard", Errors)
    monkeypatch.setattr(Errors, "found", [])
    world, line, model = points(), DelayLine(3), TorchModel(headed)
    monkeypatch.setattr(model, "sight", "any")
    pushes = iter(np.random.default_rng(0).uniform(-1, 1, (20, 3, 4)).astype(np.float32))
    monkeypatch.setattr(model, "propose", lambda situation: next(pushes))
    controller = DirectController(model, delay_ticks=told)
    controller.reset(world.goals(), (1, 2, 3))
    acted_on, came = [], []
    for _ in range(20):
        decision = controller.act(world.seen())
        assert controller.situation is not None
        acted_on.append(controller.situation.embeddings[:, -1])
        came.append(model.encode(world.seen().pixels))
        world.step(line.through(decision.actions))
    assert (max(Errors.found) < 1e-6) == (told == 3)
    away = np.abs(np.stack(acted_on[8 : -told or None]) - np.stack(came[8 + told :])).max()
    assert away < 1e-3
