"""Gauss-Newton's own promises: second-order speed, and honesty when the slope lies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor

from planners import ActionBounds, GaussNewtonConfig, GaussNewtonPlanner, LeastSquaresCost

Streams = Callable[..., list[torch.Generator]]
NO_LUCK = {"random_starts": 0}  # so that what is measured is the Newton step


@dataclass(frozen=True)
class Arm:
    """A two-link arm whose tip should reach ``goal`` (2,): u are the two joint angles."""

    goal: Tensor

    def __call__(self, actions: Tensor) -> Tensor:
        return self._residuals(actions).square().sum(-1)

    def linearise(self, actions: Tensor) -> tuple[Tensor, Tensor]:
        one = torch.vmap(torch.func.jacrev(lambda u: self._residuals(u[None])[0]))
        return self._residuals(actions), one(actions).flatten(2)

    def _residuals(self, actions: Tensor) -> Tensor:
        first, second = actions[..., 0, 0], actions[..., 0, :].sum(-1)
        tip = torch.stack([first.cos() + second.cos(), first.sin() + second.sin()], -1)
        return tip - self.goal


@dataclass(frozen=True)
class Spoilt:
    """A quadratic around ``centre`` whose slope is not a number in the first episode."""

    centre: float

    def __call__(self, actions: Tensor) -> Tensor:
        return (actions - self.centre).square().sum((-1, -2))

    def linearise(self, actions: Tensor) -> tuple[Tensor, Tensor]:
        residuals = (actions - self.centre).flatten(1)
        slope = torch.eye(residuals.shape[1]).repeat(len(actions), 1, 1)
        slope[0] = torch.nan
        return residuals, slope


def test_one_iteration_solves_an_interior_linear_least_squares(streams: Streams) -> None:
    draw = torch.Generator().manual_seed(4)
    matrix = torch.randn(2, 9, 6, generator=draw, dtype=torch.float64)
    solution = 0.3 * torch.randn(2, 6, generator=draw, dtype=torch.float64).clamp(-2, 2)
    target = (matrix @ solution[..., None])[..., 0] + torch.randn(9, generator=draw)
    expected = torch.linalg.lstsq(matrix, target[..., None]).solution[..., 0]

    class Linear:
        def __call__(self, u: Tensor) -> Tensor:
            predicted = torch.einsum("erp,enp->enr", matrix, u.flatten(2))
            return (predicted - target[:, None]).square().sum(-1)

        def linearise(self, u: Tensor) -> tuple[Tensor, Tensor]:
            return (matrix @ u.flatten(1)[..., None])[..., 0] - target, matrix

    assert expected.abs().max() < 1  # else the box, not the algebra, would decide
    planner = GaussNewtonPlanner(GaussNewtonConfig(iterations=1, dampings=(1e-9,), **NO_LUCK))
    start = torch.zeros(2, 3, 2, dtype=torch.float64)
    plan = planner.plan(Linear(), start, ActionBounds(), streams(1, 2))
    torch.testing.assert_close(plan.actions.flatten(1), expected, atol=1e-6, rtol=0)


def test_a_coupled_quadratic_on_the_bound_meets_the_optimality_conditions(
    quadratic: Any, streams: Streams
) -> None:
    draw = torch.Generator().manual_seed(1)
    # Coupled variables: clipping the free optimum would not be the answer.
    spread = torch.randn(4, 4, generator=draw) + 2 * torch.eye(4)
    cost = type(quadratic)(3 * quadratic.optimum, spread)
    # Nearly undamped, every step would end at the free optimum, were variables not held.
    config = GaussNewtonConfig(iterations=10, dampings=(1e-6,), **NO_LUCK)
    planner = GaussNewtonPlanner(config)
    plan = planner.plan(cost, torch.zeros(3, 2, 2), ActionBounds(), streams(1, 2, 3))
    residual, jacobian = cost.linearise(plan.actions)
    slope = torch.einsum("erp,er->ep", jacobian, residual)
    u = plan.actions.flatten(1)
    inside = u.abs() < 1 - 1e-4
    assert inside.any() and (~inside).any()
    assert slope[inside].abs().max() < 1e-2 * slope.abs().max()
    assert (slope[~inside] * u[~inside].sign() <= 0).all()  # the cost falls outwards


def test_a_nonlinear_toy_is_solved_to_single_precision(streams: Streams) -> None:
    reachable = torch.tensor([0.6, -0.4])
    goal = Arm(torch.zeros(2))._residuals(reachable.reshape(1, 1, 2))[0]
    planner = GaussNewtonPlanner(GaussNewtonConfig(iterations=8, **NO_LUCK))
    start = torch.tensor([0.1, -0.1]).reshape(1, 1, 2)
    plan = planner.plan(Arm(goal), start, ActionBounds(), streams(0))
    torch.testing.assert_close(plan.actions[0, 0], reachable, atol=1e-3, rtol=0)
    assert plan.cost_history[3] < 1e-6  # quadratic convergence, not a crawl


def test_sampled_starts_escape_a_bad_valley(streams: Streams) -> None:
    class TwoValleys:  # a floor of zero at -0.7 and one of about 0.07 near 0.7
        def __call__(self, u: Tensor) -> Tensor:
            return self._residuals(u).square().sum(-1)

        def linearise(self, u: Tensor) -> tuple[Tensor, Tensor]:
            slope = torch.zeros(len(u), 2, 2)
            slope[:, 0, 0], slope[:, 1, 0] = 2 * u[:, 0, 0], 0.2
            return self._residuals(u), slope

        def _residuals(self, u: Tensor) -> Tensor:
            x = u[..., 0, 0]
            return torch.stack([x.square() - 0.49, 0.2 * (x + 0.7)], -1)

    stuck = torch.full((1, 1, 2), 0.7)
    alone = GaussNewtonPlanner(GaussNewtonConfig(**NO_LUCK))
    lucky = GaussNewtonPlanner(GaussNewtonConfig(random_starts=32))
    assert alone.plan(TwoValleys(), stuck, ActionBounds(), streams(0)).cost[0] > 0.05
    assert lucky.plan(TwoValleys(), stuck, ActionBounds(), streams(0)).cost[0] < 0.001


@pytest.mark.parametrize("centre", [0.0, 0.6])
def test_a_slope_that_is_not_a_number_gives_the_best_start_back(
    streams: Streams, centre: float
) -> None:
    planner = GaussNewtonPlanner(GaussNewtonConfig(**NO_LUCK))
    bounds, start = ActionBounds(0.5, 0.9), torch.full((2, 2, 2), 0.8)
    plan = planner.plan(Spoilt(centre), start, bounds, streams(1, 2))
    assert torch.equal(plan.actions[0], start[0])
    expected = torch.full((2, 2), max(centre, 0.5))
    torch.testing.assert_close(plan.actions[1], expected, atol=1e-3, rtol=0)


def test_a_plain_function_is_refused_and_pointed_to_cem(quadratic: Any, streams: Streams) -> None:
    def plain(actions: Tensor) -> Tensor:
        return quadratic(actions)

    assert not isinstance(plain, LeastSquaresCost)
    with pytest.raises(ValueError, match=r"linearise.*CEMPlanner"):
        GaussNewtonPlanner().plan(plain, torch.zeros(3, 2, 2), ActionBounds(), streams(1, 2, 3))


@pytest.mark.parametrize(
    "wrong",
    [{"iterations": 0}, {"dampings": ()}, {"dampings": (0.0,)}, {"start_correlation": 1.0}],
)
def test_senseless_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"expected .*{next(iter(wrong))}"):
        GaussNewtonConfig(**wrong)
