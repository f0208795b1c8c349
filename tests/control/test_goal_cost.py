"""The goal cost against its formula, and its slope against automatic differentiation."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from agent.control.goal_cost import EmbeddingGoalCost, GoalCostConfig, Situation
from agent.model.predictor import PredictorConfig
from agent.model.world_model import WorldModel, WorldModelConfig
from planners import DifferentiableCost, LeastSquaresCost

EPISODES, COUNT, HORIZON, WIDTH = 2, 3, 4, 4
CONFIGS = [GoalCostConfig(0.0, 0.0), GoalCostConfig(0.3, 0.0), GoalCostConfig(0.1, 0.7)]


def make_cost(model: WorldModel, config: GoalCostConfig) -> tuple[EmbeddingGoalCost, Tensor]:
    draw = torch.Generator().manual_seed(1)
    dtype, dim, context = model.goal_metric.dtype, model.latent_dim, model.context
    shapes = [(context, dim), (context - 1, WIDTH), (dim,), (COUNT, HORIZON, WIDTH)]
    seen, past, goals, plans = (
        torch.randn(EPISODES, *shape, generator=draw, dtype=dtype) for shape in shapes
    )
    return EmbeddingGoalCost(model, Situation(seen, past, goals), config), plans


def by_the_formula(cost: EmbeddingGoalCost, plan: Tensor, episode: int) -> Tensor:
    """The cost of one plan (H, K*A), written out."""
    model, config = cost.model, cost.config
    one = slice(episode, episode + 1)
    predicted = model.rollout(cost.now.embeddings[one], cost.now.past[one], plan[None, None])[0, 0]
    total = torch.stack(
        [((z - cost.now.goals[episode]) @ model.goal_metric).square().sum() for z in predicted]
    ).mean()
    before = cost.now.past[episode, -1, -2:] if cost.now.past.shape[1] else torch.zeros(2)
    ticks = [*plan.reshape(-1, 2)]
    for torque in ticks:
        total = total + config.effort * torque.square().sum() / len(ticks)
        total = total + config.change * (torque - before).square().sum() / len(ticks)
        before = torque
    return total


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_the_cost_is_the_formula(learned_model: WorldModel, config: GoalCostConfig) -> None:
    cost, plans = make_cost(learned_model, config)
    found = cost(plans)
    assert found.shape == (EPISODES, COUNT)
    for episode in range(EPISODES):
        for count in range(COUNT):
            expected = by_the_formula(cost, plans[episode, count], episode)
            torch.testing.assert_close(found[episode, count], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_the_residuals_square_to_the_cost(
    learned_model: WorldModel, config: GoalCostConfig
) -> None:
    cost, plans = make_cost(learned_model, config)
    residuals, jacobian = cost.linearise(plans[:, 0])
    assert jacobian.shape == (*residuals.shape, HORIZON * WIDTH)
    torch.testing.assert_close(residuals.square().sum(-1), cost(plans)[:, 0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_the_slope_is_that_of_automatic_differentiation(
    learned_model: WorldModel, config: GoalCostConfig
) -> None:
    cost, plans = make_cost(learned_model.double(), config)
    residuals, jacobian = cost.linearise(plans[:, 0])
    slope = 2 * torch.einsum("erp,er->ep", jacobian, residuals)
    for episode in range(EPISODES):
        plan = plans[episode, 0].clone().requires_grad_()
        by_the_formula(cost, plan, episode).backward()
        assert plan.grad is not None
        torch.testing.assert_close(slope[episode], plan.grad.flatten(), rtol=1e-8, atol=1e-10)


def test_a_model_without_a_past_has_no_torque_to_change_from(
    exact_model: WorldModel, learned_model: WorldModel
) -> None:
    config = WorldModelConfig(learned_model.config.encoder, PredictorConfig(context=1, width=8))
    cost, plans = make_cost(WorldModel(config).eval(), GoalCostConfig(change=1.0))
    first = plans[:, :, 0, :2].square().sum(-1)
    assert (cost(plans) >= first / (2 * HORIZON)).all()
    residuals, _ = cost.linearise(plans[:, 0])
    torch.testing.assert_close(residuals.square().sum(-1), cost(plans)[:, 0])


def test_second_order_planners_accept_it(learned_model: WorldModel) -> None:
    assert isinstance(make_cost(learned_model, GoalCostConfig())[0], LeastSquaresCost)


def test_the_metric_decides_what_is_far(exact_model: WorldModel) -> None:
    cost, plans = make_cost(exact_model, GoalCostConfig(effort=0.0, change=0.0))
    before: Callable[[Tensor], Tensor] = cost.__call__
    plain = before(plans)
    exact_model.goal_metric.mul_(3.0)
    torch.testing.assert_close(before(plans), 9 * plain)


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_the_gradient_is_that_of_the_formula_for_every_plan(
    learned_model: WorldModel, config: GoalCostConfig
) -> None:
    cost, plans = make_cost(learned_model.double(), config)
    assert isinstance(cost, DifferentiableCost)
    with torch.no_grad():  # as a controller calls it
        costs, slopes = cost.gradient(plans)
    assert not costs.requires_grad and not slopes.requires_grad and not plans.requires_grad
    torch.testing.assert_close(costs, cost(plans))
    plan = plans[1, 2].clone().requires_grad_()
    (expected,) = torch.autograd.grad(by_the_formula(cost, plan, 1), plan)
    torch.testing.assert_close(slopes[1, 2], expected, rtol=1e-8, atol=1e-10)
