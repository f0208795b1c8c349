"""LeWorldModel's way to plan, in a world whose model is exact."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from agent.control.model import Situation
from agent.control.open_loop import (
    LEWM_CEM,
    PLANNED_TICKS,
    OpenLoopController,
    TerminalCost,
    imagine,
)
from agent.control.torch_model import TorchModel
from agent.errors import ModelFaultError, UserError
from agent.interfaces import Goals, Seen
from agent.model.encoder import EncoderConfig
from agent.model.transformer import TransformerConfig, TransformerPredictor
from agent.model.vit import ViTConfig
from agent.model.world_model import WorldModel, WorldModelConfig
from envs import WorldSpec
from planners import CEMPlanner

SIZE, BLOCK = 8, 5
SPEC = WorldSpec("pushed", "plain", (SIZE, SIZE), 2, 0.02)


class Pushed(TransformerPredictor):
    """z' = z + the sum of the newest block's actions; remembers how much it was shown."""

    def forward(self, embeddings: Tensor, actions: Tensor) -> Tensor:
        self.shown = [*getattr(self, "shown", []), embeddings.shape[-2]]
        moved: Tensor = actions[..., -1, :].unflatten(-1, (BLOCK, 2)).sum(-2)
        return embeddings[..., -1, :] + 0.1 * moved


class ReadPosition(torch.nn.Module):
    def forward(self, frames: Tensor) -> Tensor:
        return frames[..., 0, 0, :2].float() / 50 - 2


def make_model() -> WorldModel:
    encoder = ViTConfig(latent_dim=2, patch_size=4, width=6, depth=1, heads=1, projector_width=4)
    predictor = TransformerConfig(
        width=6, depth=1, heads=1, head_width=4, hidden=4, projector_width=4
    )
    model = WorldModel(WorldModelConfig(encoder, predictor, action_block=BLOCK), SPEC)
    model.encoder = ReadPosition()  # type: ignore[assignment]
    model.predictor = Pushed(predictor, 2, BLOCK * 2)
    return model.eval()


def pictures(*positions: tuple[float, float]) -> Any:
    """Frames (E, h, w, 3) that show positions."""
    frames = np.zeros((len(positions), SIZE, SIZE, 3), np.uint8)
    frames[:, 0, 0, :2] = np.round((np.array(positions) + 2) * 50)
    return frames


def controller_of() -> OpenLoopController:
    return OpenLoopController(TorchModel(make_model()), QUICK)


QUICK = CEMPlanner(samples=64, iterations=12, elites=8, min_std=1e-3, correlation=0.0)


def test_the_predictor_is_shown_one_frame_more_at_every_step_up_to_its_context() -> None:
    model = make_model()
    actions = torch.rand(2, 3, 5, BLOCK * 2)
    predicted = imagine(model, torch.zeros(2, 2), actions)
    assert model.predictor.shown == [1, 2, 3, 3, 3]  # type: ignore[union-attr]
    expected = 0.1 * actions.unflatten(-1, (BLOCK, 2)).sum(-2).cumsum(2)
    torch.testing.assert_close(predicted, expected)


def test_only_the_end_of_a_plan_costs() -> None:
    model, goal = make_model(), np.array([[1.0, -1.0]], np.float32)
    model.goal_metric.zero_()  # a metric of ours must not enter
    there = np.zeros((1, 2, 5, BLOCK, 2), np.float32)
    there[:, 0, 0], there[:, 0, 1] = 1.0, -1.0  # away and back: ends where it began
    cost = TerminalCost(model, np.zeros((1, 2), np.float32), goal)(there)
    np.testing.assert_allclose(cost, [[2.0, 2.0]], rtol=1e-6)


def test_a_plan_is_sent_to_its_end_and_reaches_the_goal_unseen() -> None:
    controller = controller_of()
    controller.reset(Goals(pixels=pictures((1.0, -0.6), (0.0, 0.9))), (1, 2))
    moved = np.zeros((2, 2))
    start = Seen(pixels=pictures((0.0, 0.0), (0.5, 0.5)))
    blind = Seen(pixels=pictures((-1.0, -1.0), (-1.0, -1.0)))  # nothing seen later may matter
    for tick in range(25):
        actions = controller.act(start if tick == 0 else blind).actions
        assert actions.shape == (2, 2) and np.abs(actions).max() <= 1.0
        moved += 0.1 * actions
    np.testing.assert_allclose(moved, [[1.0, -0.6], [-0.5, 0.4]], atol=0.05)
    assert not controller._waiting  # and now it looks again


def test_an_episode_does_not_depend_on_its_company() -> None:
    controller = controller_of()
    goals, starts = pictures((1.0, 0.5), (-0.5, 0.5)), pictures((0.0, 0.0), (0.2, 0.1))
    controller.reset(Goals(pixels=goals), (4, 5))
    together = controller.act(Seen(pixels=starts)).actions
    for episode, seed in enumerate((4, 5)):
        one = slice(episode, episode + 1)
        controller.reset(Goals(pixels=goals[one]), (seed,))
        alone = controller.act(Seen(pixels=starts[one])).actions
        np.testing.assert_allclose(alone[0], together[episode], atol=1e-5)


def test_the_search_is_the_published_one() -> None:
    assert (LEWM_CEM.samples, LEWM_CEM.iterations, LEWM_CEM.elites) == (300, 30, 30)
    assert PLANNED_TICKS == 25
    assert LEWM_CEM.initial_std == pytest.approx(
        np.random.default_rng(0).uniform(-1, 1, 10**5).std(), rel=0.01
    )


def test_a_model_of_several_frames_takes_the_world_to_have_been_at_rest() -> None:
    model = TorchModel(residual_model())
    now, plans = torch.rand(2, 4), torch.rand(2, 3, 5, 4) * 2 - 1
    rest = np.zeros((2, model.context - 1, 4), np.float32)
    resting = Situation(
        np.repeat(now.numpy()[:, None], model.context, 1), rest, np.zeros((2, 4), np.float32),
        np.zeros((2, 4), np.float32), np.zeros((2, 0, 2), np.float32), np.full(2, 5.0, np.float32),
    )  # fmt: skip
    with torch.inference_mode():
        found = imagine(model.network, now, plans).numpy()
    np.testing.assert_allclose(found, model.imagine(resting, plans.numpy()), atol=1e-6)


def test_steps_that_do_not_fill_a_plan_are_searched_whole_and_sent_in_part() -> None:
    controller = OpenLoopController(TorchModel(residual_model()), QUICK)
    controller.reset(Goals(pixels=np.zeros((1, 16, 16, 3), np.uint8)), (1,))
    controller.act(Seen(pixels=np.full((1, 16, 16, 3), 99, np.uint8)))
    assert controller.model.action_block == 2  # 13 steps are searched, 25 ticks are sent
    assert len(controller._waiting) == 24


def residual_model() -> WorldModel:
    config = WorldModelConfig(EncoderConfig(latent_dim=4), action_block=2)
    return WorldModel(config, replace(SPEC, image_size=(16, 16))).eval()


def test_other_frames_are_refused() -> None:
    wrong, controller = np.zeros((1, 4, 4, 3), np.uint8), controller_of()
    with pytest.raises(UserError, match="expected frames uint8"):
        controller.reset(Goals(pixels=wrong), (0,))
    controller.reset(Goals(pixels=pictures((0.0, 0.0))), (0,))
    with pytest.raises(UserError, match="expected frames uint8"):
        controller.act(Seen(pixels=wrong))


def test_a_model_of_no_numbers_stands_still_with_a_word_and_then_stops() -> None:
    class Broken(ReadPosition):
        def forward(self, frames: Tensor) -> Tensor:
            read: Tensor = super().forward(frames)
            return torch.where(read[:, :1] > 0, torch.nan, read)

    model = make_model()
    model.encoder = Broken()  # type: ignore[assignment]
    controller = OpenLoopController(TorchModel(model), CEMPlanner(samples=64))
    controller.reset(Goals(pictures((-1.0, -1.0), (-1.0, -1.0)), None), [1, 2])
    seen = Seen(pictures((0.4, 0.4), (-0.4, -0.4)), None)
    decision = controller.act(seen)
    assert decision.fault is not None and (decision.actions[0] == 0).all()
    assert np.isfinite(decision.actions).all() and (decision.actions[1] != 0).any()
    with pytest.raises(ModelFaultError, match="zero action was sent"):
        controller.act(seen)
