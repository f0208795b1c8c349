"""The action head: alone, as a proposal, and what it learns in imagination."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from agent.control.direct import DirectController, propose
from agent.control.goal_cost import Situation
from agent.control.mpc import MPCConfig, WorldModelController
from agent.errors import ModelFaultError, UserError
from agent.model.head import GoalHead, HeadConfig
from agent.model.world_model import WorldModel
from agent.training.head import Moments, train_head
from agent.training.settings import HeadTraining
from planners import GaussNewtonConfig, GaussNewtonPlanner

MakePoints = Callable[[], Any]
ALONE = GaussNewtonPlanner(GaussNewtonConfig(random_starts=0))


@pytest.fixture
def headed(exact_model: WorldModel) -> WorldModel:
    """The point's own model with an untrained head."""
    torch.manual_seed(0)
    exact_model.config = replace(exact_model.config, head=HeadConfig(width=32, blocks=1))
    exact_model.head = GoalHead(exact_model.config.head, 3, 2, 4)
    return exact_model.eval()


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
    controller = DirectController(headed)
    controller.reset(world.observations(), (1, 2, 3))
    for _ in range(60):
        world.step(controller.act(world.observations()))
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


def test_a_proposal_is_the_head_followed_by_the_model(headed: WorldModel) -> None:
    draw = torch.Generator().manual_seed(1)
    seen, past, goals = (torch.randn(2, *s, generator=draw) for s in ((3, 2), (2, 4), (2,)))
    drift, pending = torch.randn(2, 2, generator=draw), torch.rand(2, 1, 2, generator=draw)
    with torch.no_grad():
        plan = propose(headed, Situation(seen, past, goals, drift, pending), horizon=3)
        assert plan is not None and plan.shape == (2, 3, 4)
        assert torch.equal(plan[:, 0, :2], pending[:, 0])
        assert headed.head is not None
        assert torch.equal(plan[:, 0, 2:], headed.head(seen, past, goals)[:, 2:])
        moved = headed.rollout(seen, past, plan[:, None, :2], drift)[:, 0]
        contexts = torch.cat([seen[:, 2:], moved], 1)
        blocks = plan[:, :2]
        torch.testing.assert_close(plan[:, 2], headed.head(contexts, blocks, goals))


def test_a_good_proposal_is_taken_and_a_bad_one_left(
    headed: WorldModel, points: MakePoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    def first_torques(idea: torch.Tensor | None) -> Any:
        monkeypatch.setattr("agent.control.mpc.propose", lambda *_: idea)
        world, config = points(), MPCConfig(4, tick_ms=1e-6, propose=True)  # no time for a search
        controller = WorldModelController(headed, ALONE, config)
        controller.reset(world.observations(), (1, 2, 3))
        return controller.act(world.observations())

    good = torch.zeros(3, 4, 4)
    good[:, 0] = torch.tensor([0.4, -0.3, 0.0, 0.0])
    assert (first_torques(-good)[0] == 0).all()
    np.testing.assert_allclose(first_torques(good)[0], [0.4, -0.3], atol=1e-6)
    assert (first_torques(good)[2] == 0).all()  # this one is there already


def test_a_model_without_a_head_is_refused(exact_model: WorldModel) -> None:
    with pytest.raises(UserError, match="with an action head, got one without"):
        DirectController(exact_model)
    assert propose(exact_model, None, 3) is None  # type: ignore[arg-type]


def test_nan_never_reaches_the_motor(headed: WorldModel, points: MakePoints) -> None:
    world, controller = points(), DirectController(headed)
    controller.reset(world.observations(), (1, 2, 3))
    assert headed.head is not None
    torch.nn.init.constant_(headed.head.read.bias, torch.nan)
    assert (controller.act(world.observations()) == 0).all()
    assert controller.fault is not None
    with pytest.raises(ModelFaultError):
        controller.act(world.observations())
