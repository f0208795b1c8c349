"""The gradient planner's own promises: precise in one valley, and not caught in the first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor

from planners import (
    ActionBounds,
    CEMConfig,
    CEMPlanner,
    DifferentiableCost,
    GradientConfig,
    GradientPlanner,
)

Streams = Callable[..., list[torch.Generator]]


@dataclass(frozen=True)
class Valleys:
    """A floor of 0 at -0.7 and one of about 0.07 near 0.7, in one number; slopes by autograd."""

    def __call__(self, actions: Tensor) -> Tensor:
        x = actions[..., 0, 0]
        return (x.square() - 0.49).square() + (0.2 * (x + 0.7)).square()

    def gradient(self, actions: Tensor) -> tuple[Tensor, Tensor]:
        at = actions.clone().requires_grad_()
        costs = self(at)
        return costs.detach(), torch.autograd.grad(costs.sum(), at)[0]


def test_beats_the_sampling_it_begins_with(quadratic: Any, streams: Streams) -> None:
    config = GradientConfig(steps=10)
    still = torch.zeros(2, 2, 2)
    sampled = CEMPlanner(config.sampling).plan(
        quadratic.rows(0, 1), still, ActionBounds(), streams(1, 2)
    )
    refined = GradientPlanner(config).plan(
        quadratic.rows(0, 1), still, ActionBounds(), streams(1, 2)
    )
    assert torch.equal(refined.cost_history[0], sampled.cost)  # the same samples
    assert (refined.cost < 0.2 * sampled.cost).all()


def test_several_starts_see_the_deeper_valley(streams: Streams) -> None:
    start = torch.full((1, 1, 2), 0.7)
    near = CEMConfig(samples=16, iterations=1, elites=4, initial_std=1e-3, min_std=1e-3)
    wide = CEMConfig(samples=16, iterations=1, elites=4, initial_std=1.0)
    costs = [
        GradientPlanner(GradientConfig(sampling, steps=60, rate=0.05))
        .plan(Valleys(), start, ActionBounds(), streams(0))
        .cost.item()
        for sampling in (near, wide)
    ]
    assert costs[0] > 0.05 and costs[1] < 1e-4


def test_a_slope_that_is_not_a_number_moves_nothing(quadratic: Any, streams: Streams) -> None:
    class Spoilt:
        def __call__(self, actions: Tensor) -> Tensor:
            return quadratic(actions)  # type: ignore[no-any-return]

        def gradient(self, actions: Tensor) -> tuple[Tensor, Tensor]:
            return self(actions), torch.full_like(actions, torch.nan)

    still, config = torch.zeros(3, 2, 2), GradientConfig()
    sampled = CEMPlanner(config.sampling).plan(quadratic, still, ActionBounds(), streams(1, 2, 3))
    plan = GradientPlanner(config).plan(Spoilt(), still, ActionBounds(), streams(1, 2, 3))
    assert torch.equal(plan.actions, sampled.actions)


def test_a_plain_function_is_refused_and_pointed_to_cem(quadratic: Any, streams: Streams) -> None:
    def plain(actions: Tensor) -> Tensor:
        return quadratic(actions)  # type: ignore[no-any-return]

    assert not isinstance(plain, DifferentiableCost)
    with pytest.raises(ValueError, match=r"gradient\(\).*CEMPlanner"):
        GradientPlanner().plan(plain, torch.zeros(3, 2, 2), ActionBounds(), streams(1, 2, 3))


@pytest.mark.parametrize("wrong", [{"starts": 0}, {"starts": 9}, {"steps": 0}, {"rate": 0.0}])
def test_senseless_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"expected .*{next(iter(wrong))}"):
        GradientConfig(**wrong)
