"""The cross-entropy method's own promises."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from planners import ActionBounds, CEMConfig, CEMPlanner

Streams = Callable[..., list[torch.Generator]]


def test_needs_no_slope(quadratic: Any, streams: Streams) -> None:
    plan = CEMPlanner().plan(
        lambda actions: quadratic(actions), torch.zeros(3, 2, 2), ActionBounds(), streams(1, 2, 3)
    )
    assert plan.cost_history.shape == (CEMConfig().iterations, 3)


def test_finds_the_better_of_two_valleys(streams: Streams) -> None:
    def two_valleys(actions: torch.Tensor) -> torch.Tensor:
        u = actions[..., 0, 0]
        return torch.minimum((u + 0.8).square() + 0.05, (u - 0.8).square())

    planner = CEMPlanner(CEMConfig(samples=256, iterations=10))
    plan = planner.plan(two_valleys, torch.full((1, 1, 2), -0.8), ActionBounds(), streams(0))
    assert abs(plan.actions[0, 0, 0] - 0.8) < 0.02


def test_correlated_noise_does_not_spoil_an_optimum_on_the_bound(
    quadratic: Any, streams: Streams
) -> None:
    still, bounds = torch.zeros(1, 2, 2), ActionBounds()
    cost = quadratic.rows(2)
    least = cost(cost.optimum.clamp(-1, 1)[:, None])[0, 0]
    planner = CEMPlanner(CEMConfig(iterations=8, correlation=0.6))
    excess = [planner.plan(cost, still, bounds, streams(s)).cost[0] - least for s in range(10)]
    assert sum(excess) / len(excess) < 0.01  # about 0.02 where the correlation never falls


def test_noise_has_unit_variance_and_the_asked_correlation_in_time(streams: Streams) -> None:
    seen: list[torch.Tensor] = []

    def spy(actions: torch.Tensor) -> torch.Tensor:
        seen.append(actions)
        return actions.square().sum((-1, -2))

    config = CEMConfig(samples=8000, elites=2, iterations=1, initial_std=0.1, correlation=0.6)
    # 3 planner steps of 2 torques of 2 joints: 6 times in a row.
    CEMPlanner(config).plan(spy, torch.zeros(1, 3, 4), ActionBounds(), streams(0))
    noise = seen[0][0].reshape(8000, 6, 2) / 0.1
    assert noise.std(0).sub(1).abs().max() < 0.04
    for joint in (0, 1):
        matrix = torch.corrcoef(noise[:, :, joint].T)
        lags = (torch.arange(6)[:, None] - torch.arange(6)).abs()
        torch.testing.assert_close(matrix, 0.6**lags, atol=0.05, rtol=0)
    across = (noise[:, :, 0] * noise[:, :, 1]).mean(0)
    assert across.abs().max() < 0.05


@pytest.mark.parametrize(
    "wrong",
    [{"elites": 1}, {"samples": 8, "elites": 9}, {"iterations": 0}, {"correlation": 1.0}],
)
def test_senseless_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"expected .*{list(wrong)[-1]}"):
        CEMConfig(**wrong)


def test_a_step_that_is_no_multiple_of_the_torque_dimension_is_refused(streams: Streams) -> None:
    with pytest.raises(ValueError, match="action_dim=2"):
        CEMPlanner().plan(lambda u: u, torch.zeros(1, 2, 3), ActionBounds(), streams(0))
