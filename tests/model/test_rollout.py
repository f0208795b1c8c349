"""Rollouts against one prediction after another, causality, and the slope of it all."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from agent.model.folded import DifferentiatedPredictor
from agent.model.predictor import PredictorConfig
from agent.model.rolling import Stepping, roll
from agent.model.world_model import WorldModel, WorldModelConfig
from envs import WorldSpec

EPISODES, COUNT, HORIZON, WIDTH, DIM = 2, 3, 5, 4, 4
Build = Callable[..., WorldModel]
SPEC = WorldSpec("recorded:noise", "drawn", (64, 64), 2, 0.04)


def inputs(context: int, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor, Tensor]:
    draw = torch.Generator().manual_seed(3)
    embeddings = torch.randn(EPISODES, context, DIM, generator=draw, dtype=dtype)
    past = torch.randn(EPISODES, context - 1, WIDTH, generator=draw, dtype=dtype)
    plans = torch.randn(EPISODES, COUNT, HORIZON, WIDTH, generator=draw, dtype=dtype)
    return embeddings, past, plans


def by_hand(model: WorldModel, seen: Tensor, past: Tensor, plan: Tensor) -> Tensor:
    """(L, D), (L-1, K*A), (H, K*A) -> (H, D), one prediction at a time."""
    embeddings, blocks, context = list(seen), list(past), len(seen)
    for block in plan:
        blocks.append(block)
        window = torch.stack(embeddings[-context:])
        embeddings.append(model.predictor(window, torch.stack(blocks[-context:])))
    return torch.stack(embeddings[context:])


def linearised(step: Stepping, seen: Tensor, past: Tensor, plan: Tensor) -> tuple[Tensor, Tensor]:
    """Predicted embeddings (E, H, D) along plans (E, H, K*A), and their slopes (E, H, P, D)."""
    predicted = step.roll(seen, past, plan[:, None])[:, 0].detach()
    return predicted, step.slopes(seen, past, plan, predicted)


@pytest.mark.parametrize("context", [1, 2, 3])
def test_a_rollout_is_one_prediction_after_another(build: Build, context: int) -> None:
    model = build(context)
    embeddings, past, plans = inputs(context)
    predicted = roll(model.predictor, embeddings, past, plans)
    assert predicted.shape == (EPISODES, COUNT, HORIZON, DIM)
    for episode in range(EPISODES):
        for plan in range(COUNT):
            expected = by_hand(model, embeddings[episode], past[episode], plans[episode, plan])
            torch.testing.assert_close(predicted[episode, plan], expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("context", [1, 2, 3])
@pytest.mark.parametrize("drifts", [False, True])
def test_planning_rolls_out_what_the_model_does(build: Build, context: int, drifts: bool) -> None:
    model = build(context)
    embeddings, past, plans = inputs(context)
    drift = embeddings[:, 0] / 3 if drifts else None
    with torch.no_grad():
        found = model.stepping().roll(embeddings, past, plans, drift)
        expected = roll(model.predictor, embeddings, past, plans, drift)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("block", range(HORIZON))
def test_an_action_block_changes_the_future_and_not_the_past(model: WorldModel, block: int) -> None:
    embeddings, past, plans = inputs(3)
    before = roll(model.predictor, embeddings, past, plans)
    plans[:, :, block] += 0.5
    after = roll(model.predictor, embeddings, past, plans)
    # predicted[h] is the embedding after blocks 0..h.
    assert torch.equal(before[:, :, :block], after[:, :, :block])
    assert (before[:, :, block:] != after[:, :, block:]).all()


def test_candidates_and_episodes_do_not_mix(model: WorldModel) -> None:
    embeddings, past, plans = inputs(3)
    before = roll(model.predictor, embeddings, past, plans)
    plans[1, 2] += 1.0
    after = roll(model.predictor, embeddings, past, plans)
    changed = (before != after).flatten(2).any(-1)
    assert changed.tolist() == [[False, False, False], [False, False, True]]


def test_an_untrained_model_predicts_that_nothing_moves() -> None:
    embeddings, past, plans = (x[..., :32] for x in inputs(3))
    model = WorldModel(WorldModelConfig(), SPEC)
    embeddings = torch.randn(EPISODES, 3, 32)
    predicted = roll(model.predictor, embeddings, past, plans)
    assert torch.equal(predicted, embeddings[:, None, -1:].expand_as(predicted))


@pytest.mark.parametrize("context", [1, 2, 3])
def test_the_slope_is_that_of_automatic_differentiation(build: Build, context: int) -> None:
    model = build(context).double()
    embeddings, past, plans = inputs(context, torch.float64)
    predicted, slope = linearised(model.stepping(), embeddings, past, plans[:, 0])
    rolled = roll(model.predictor, embeddings, past, plans[:, :1])[:, 0]
    torch.testing.assert_close(predicted, rolled)
    for episode in range(EPISODES):
        one = embeddings[episode, None], past[episode, None]
        expected = torch.autograd.functional.jacobian(
            lambda plan, one=one: roll(model.predictor, *one, plan[None, None])[0, 0],
            plans[episode, 0],
        )
        torch.testing.assert_close(slope[episode], expected.flatten(2).mT, atol=1e-10, rtol=1e-8)


def test_the_slope_is_that_of_a_small_step(model: WorldModel) -> None:
    embeddings, past, plans = inputs(3)
    plan, nudge = plans[:, 0], 1e-2
    _, slope = linearised(model.stepping(), embeddings, past, plan)
    for variable in (0, 7, HORIZON * WIDTH - 1):
        direction = torch.zeros(HORIZON * WIDTH).scatter(0, torch.tensor(variable), nudge)
        steps = torch.stack([plan + direction.view(HORIZON, WIDTH) * sign for sign in (1, -1)], 1)
        ends = roll(model.predictor, embeddings, past, steps)
        numeric = (ends[:, 0] - ends[:, 1]) / (2 * nudge)
        torch.testing.assert_close(slope[:, :, variable], numeric, atol=2e-3, rtol=2e-2)


def test_the_slope_leaves_no_gradient_behind(model: WorldModel) -> None:
    embeddings, past, plans = inputs(3)
    predicted, slope = linearised(model.stepping(), embeddings, past, plans[:, 0])
    assert not predicted.requires_grad and not slope.requires_grad
    assert all(parameter.grad is None for parameter in model.parameters())


def test_time_scales_follow_from_the_world() -> None:
    model = WorldModel(WorldModelConfig(action_block=3), SPEC)
    assert model.action_width == 6
    assert model.model_step_s == pytest.approx(0.12)


def test_senseless_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="action_block >= 1"):
        WorldModelConfig(action_block=0)
    with pytest.raises(ValueError, match="context >= 1"):
        PredictorConfig(context=0)


def test_a_predictor_without_derivatives_of_its_own_gets_the_same_slope(model: WorldModel) -> None:
    embeddings, past, plans = inputs(3)
    automatic = DifferentiatedPredictor(model.predictor)
    expected = linearised(automatic, embeddings, past, plans[:, 0])
    found = linearised(model.stepping(), embeddings, past, plans[:, 0])
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def test_planning_sees_the_weights_of_the_moment_it_was_made(model: WorldModel) -> None:
    embeddings, past, plans = inputs(3)
    window, blocks = embeddings, torch.cat([past, plans[:, 0, :1]], 1)
    before, step = model.predictor(window, blocks), model.stepping()
    torch.testing.assert_close(step(window, blocks), before, atol=1e-5, rtol=1e-5)
    with torch.no_grad():
        model.predictor.write[0].bias.add_(1.0)
    assert not torch.allclose(model.stepping()(window, blocks), before)
