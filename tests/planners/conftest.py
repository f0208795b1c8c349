"""Costs whose optimum is known, and every planner there is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from planners import (
    CEMConfig,
    CEMPlanner,
    GaussNewtonConfig,
    GaussNewtonPlanner,
    GradientConfig,
    GradientPlanner,
    ICEMConfig,
    ICEMPlanner,
    MPPIConfig,
    MPPIPlanner,
    Planner,
    RandomShootingConfig,
    RandomShootingPlanner,
)

# A new planner is listed here and nowhere else: the conformance suite then runs over it.
PLANNERS: dict[str, Planner] = {
    "cem": CEMPlanner(CEMConfig(iterations=20, min_std=1e-3, correlation=0.0)),
    "icem": ICEMPlanner(ICEMConfig(iterations=20, min_std=1e-3, exponent=0.0)),
    "mppi": MPPIPlanner(MPPIConfig(iterations=20, temperature=0.05, correlation=0.0)),
    "gauss-newton": GaussNewtonPlanner(GaussNewtonConfig(iterations=8)),
    "gradient": GradientPlanner(GradientConfig(steps=80)),
    "random-shooting": RandomShootingPlanner(RandomShootingConfig(samples=65536)),
}
PRECISION = {"random-shooting": 0.3}  # of an action, where it is not 0.01


@dataclass(frozen=True)
class Quadratic:
    """‖(u − optimum)·spread‖² an episode: a least-squares cost with ``optimum`` (E, H, U)."""

    optimum: Tensor
    spread: Tensor  # (P, P)

    def __call__(self, actions: Tensor) -> Tensor:
        """(E, N, H, U) -> (E, N)."""
        offsets = (actions - self.optimum[:, None]).flatten(2)
        return (offsets @ self.spread).square().sum(-1)

    def linearise(self, actions: Tensor) -> tuple[Tensor, Tensor]:
        """(E, H, U) -> (E, P) and (E, P, P)."""
        residuals = (actions - self.optimum).flatten(1) @ self.spread
        return residuals, self.spread.T.expand(len(actions), -1, -1)

    def gradient(self, actions: Tensor) -> tuple[Tensor, Tensor]:
        """(E, N, H, U) -> (E, N) and (E, N, H, U)."""
        offsets = (actions - self.optimum[:, None]).flatten(2)
        slopes = 2 * offsets @ self.spread @ self.spread.T
        return self(actions), slopes.reshape(actions.shape)

    def rows(self, *episodes: int) -> Quadratic:
        """The same cost of some of the episodes."""
        return Quadratic(self.optimum[list(episodes)], self.spread)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """These batches are too small to share."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(params=sorted(PLANNERS))
def planner(request: pytest.FixtureRequest) -> Planner:
    """Every planner in turn."""
    return PLANNERS[request.param]


@pytest.fixture
def precision(request: pytest.FixtureRequest) -> float:
    """How near to the optimum the ``planner`` must come, in units of the action."""
    return PRECISION.get(request.node.callspec.params["planner"], 0.01)


@pytest.fixture
def quadratic() -> Quadratic:
    """3 episodes, 2 steps of 2 numbers; the optimum of episode 2 lies partly outside the box."""
    draw = torch.Generator().manual_seed(0)
    optimum = torch.rand(3, 2, 2, generator=draw) - 0.5
    optimum[2, 0, 0], optimum[2, 1, 1] = 1.8, -1.5
    return Quadratic(optimum, torch.diag(torch.tensor([1.0, 2.0, 0.5, 1.5])))


def generators(*seeds: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in seeds]


@pytest.fixture
def streams() -> object:
    """A fresh generator for each seed."""
    return generators
