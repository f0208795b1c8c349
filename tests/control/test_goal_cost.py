"""The goal cost against its formula, and its slope against finite differences of that formula."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from known_world import exact_network, learned_network, situation_of

from agent.control.goal_cost import GoalCost, GoalCostConfig
from agent.control.model import Situation
from agent.control.torch_model import TorchModel
from agent.model.rolling import roll
from agent.model.world_model import WorldModel
from planners import LeastSquaresCost

EPISODES, COUNT, HORIZON = 2, 3, 4
CONFIGS = [GoalCostConfig(0.0, 0.0), GoalCostConfig(0.3, 0.0), GoalCostConfig(0.1, 0.7)]
ONLY_DISTANCE = CONFIGS[0]

Array = np.ndarray[Any, Any]


def plans_for(network: WorldModel, count: int = COUNT) -> Array:
    """Random plans (E, N, H, K, A)."""
    shape = (EPISODES, count, HORIZON, network.config.action_block, network.spec.action_dim)
    return np.random.default_rng(2).normal(size=shape).astype(np.float32)


def cost_of(network: WorldModel, now: Situation, config: GoalCostConfig) -> GoalCost:
    return GoalCost(TorchModel(network), now, config, HORIZON)


def offsets_of(network: WorldModel, now: Situation, plan: Array, episode: int) -> Array:
    """Offsets (H, M) along one plan (H, K, A)."""
    one = slice(episode, episode + 1)
    seen, past, drift, goal = (
        torch.from_numpy(values[one]) for values in (now.embeddings, now.past, now.drift, now.goals)
    )
    blocks = torch.from_numpy(plan.reshape(1, 1, len(plan), -1)).to(seen.dtype)
    with torch.no_grad():
        predicted = roll(network.predictor, seen, past, blocks, drift)[0, 0]
        found: Array = ((predicted - goal) @ network.goal_metric).numpy()
    return found


def by_the_formula(
    network: WorldModel, now: Situation, config: GoalCostConfig, plan: Array, episode: int
) -> float:
    """The cost of one plan (H, K, A), written out."""
    offsets = offsets_of(network, now, plan, episode)
    trusted = int(min(now.reach[episode], HORIZON))
    total = float(np.square(offsets[:trusted]).sum(1).mean())
    width = network.spec.action_dim
    past = now.past[episode]
    before = past[-1, -width:] if len(past) else np.zeros(width)
    ticks = plan.reshape(-1, width)
    for action in ticks:
        total += config.effort * float(np.square(action).sum()) / len(ticks)
        total += config.change * float(np.square(action - before).sum()) / len(ticks)
        before = action
    return total


@pytest.mark.parametrize("config", CONFIGS, ids=str)
@pytest.mark.parametrize(("action_dim", "block"), [(2, 2), (1, 3), (5, 1)])
@pytest.mark.parametrize("reach", [100.0, 2.0])
def test_the_cost_is_the_formula(
    config: GoalCostConfig, action_dim: int, block: int, reach: float
) -> None:
    network = learned_network(3, action_dim, block)
    now, plans = situation_of(network, reach=reach), plans_for(network)
    found = cost_of(network, now, config)(plans)
    assert found.shape == (EPISODES, COUNT)
    for episode in range(EPISODES):
        for count in range(COUNT):
            expected = by_the_formula(network, now, config, plans[episode, count], episode)
            assert found[episode, count] == pytest.approx(expected, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("config", CONFIGS, ids=str)
@pytest.mark.parametrize("reach", [100.0, 2.0])
@pytest.mark.parametrize("pending", [0, 3])
def test_the_residuals_square_to_the_cost(
    learned: WorldModel, config: GoalCostConfig, reach: float, pending: int
) -> None:
    now, plans = situation_of(learned, reach=reach, pending=pending), plans_for(learned)
    cost = cost_of(learned, now, config)
    residuals, slopes = cost.linearise(plans[:, 0])
    assert slopes.shape == (EPISODES, plans[0, 0].size, residuals.shape[1])
    np.testing.assert_allclose(np.square(residuals).sum(-1), cost(plans)[:, 0], rtol=1e-4)


@pytest.mark.parametrize("config", CONFIGS, ids=str)
@pytest.mark.parametrize(("action_dim", "block", "context"), [(2, 2, 3), (1, 3, 2), (5, 1, 1)])
def test_the_slope_is_that_of_finite_differences(
    config: GoalCostConfig, action_dim: int, block: int, context: int
) -> None:
    network = learned_network(context, action_dim, block)
    now, plans = situation_of(network, reach=3.0), plans_for(network)[:, 0]
    residuals, slopes = cost_of(network, now, config).linearise(plans)
    slope = 2 * np.einsum("epr,er->ep", slopes, residuals)
    network = network.double()  # differences of single precision would be of its rounding
    exact = Situation(**{name: value.astype(np.float64) for name, value in vars(now).items()})
    for episode in range(EPISODES):
        for variable in range(plans[0].size):
            step = np.zeros(plans[0].size)
            step[variable] = 1e-5
            above, below = (
                by_the_formula(
                    network, exact, config,
                    plans[episode].astype(np.float64) + sign * step.reshape(plans[0].shape),
                    episode,
                )
                for sign in (1, -1)
            )  # fmt: skip
            expected = (above - below) / 2e-5
            scale = float(np.abs(slope[episode]).max())
            assert slope[episode, variable] == pytest.approx(expected, abs=1e-4 * scale)


def test_a_model_without_a_past_has_no_action_to_change_from() -> None:
    network = learned_network(context=1)
    now, plans = situation_of(network), plans_for(network)
    cost = cost_of(network, now, GoalCostConfig(change=1.0))
    first = np.square(plans[:, :, 0, 0]).sum(-1)
    assert (cost(plans) >= first / (2 * HORIZON)).all()
    residuals, _ = cost.linearise(plans[:, 0])
    np.testing.assert_allclose(np.square(residuals).sum(-1), cost(plans)[:, 0], rtol=1e-4)


def test_second_order_planners_accept_it(learned: WorldModel) -> None:
    cost = cost_of(learned, situation_of(learned), GoalCostConfig())
    assert isinstance(cost, LeastSquaresCost)


def test_a_planner_of_ones_own_may_work_in_double(learned: WorldModel) -> None:
    cost, plans = cost_of(learned, situation_of(learned), GoalCostConfig()), plans_for(learned)
    np.testing.assert_array_equal(cost(plans.astype(np.float64)), cost(plans))
    double, single = (cost.linearise(plans[:, 0].astype(kind)) for kind in ("f8", "f4"))
    np.testing.assert_array_equal(double[1], single[1])


def test_the_metric_decides_what_is_far() -> None:
    network = exact_network()
    now, plans = situation_of(network), plans_for(network)
    plain = cost_of(network, now, ONLY_DISTANCE)(plans)
    network.goal_metric.mul_(3.0)
    tripled = cost_of(network, now, ONLY_DISTANCE)(plans)
    np.testing.assert_allclose(tripled, 9 * plain, rtol=1e-5)


def test_actions_on_their_way_cannot_be_changed(learned: WorldModel) -> None:
    now, plans = situation_of(learned, pending=3), plans_for(learned)  # a block and a half
    cost = cost_of(learned, now, GoalCostConfig())
    other = plans.copy()
    other.reshape(EPISODES, COUNT, -1)[..., :6] += 0.5
    np.testing.assert_array_equal(cost(plans), cost(other))
    assert not cost.linearise(plans[:, 0])[1][:, :6].any()
    other.reshape(EPISODES, COUNT, -1)[..., 6] += 0.5
    assert (cost(plans) != cost(other)).all()


def test_actions_on_their_way_stand_at_the_beginning_of_every_plan(learned: WorldModel) -> None:
    now, plans = situation_of(learned, pending=3), plans_for(learned)
    filled = plans.copy()
    filled.reshape(EPISODES, COUNT, -1)[..., :6] = now.pending.reshape(EPISODES, 1, 6)
    free = situation_of(learned)
    np.testing.assert_array_equal(now.embeddings, free.embeddings)
    found = cost_of(learned, now, GoalCostConfig())(plans)
    np.testing.assert_allclose(found, cost_of(learned, free, GoalCostConfig())(filled), rtol=1e-6)


@pytest.mark.parametrize(
    "wrong", [{"effort": -1.0}, {"change": -1.0}, {"effort": np.nan}, {"change": np.nan}]
)
def test_negative_weights_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="effort and change >= 0"):
        GoalCostConfig(**wrong)
