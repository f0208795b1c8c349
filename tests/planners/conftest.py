"""Every planner there is, searching hard enough to be measured against a known optimum."""

from __future__ import annotations

import pytest
from known_costs import Quadratic, quadratic_of

from planners import (
    PLANNERS,
    CEMPlanner,
    GaussNewtonPlanner,
    GradientPlanner,
    ICEMPlanner,
    MPPIPlanner,
    Planner,
    RandomShootingPlanner,
)

# A planner of the catalogue that is not listed here fails the conformance suite.
THOROUGH: dict[str, Planner] = {
    "cem": CEMPlanner(iterations=20, min_std=1e-3, correlation=0.0),
    "icem": ICEMPlanner(iterations=20, min_std=1e-3, exponent=0.0),
    "mppi": MPPIPlanner(iterations=20, temperature=0.05, correlation=0.0),
    "gauss-newton": GaussNewtonPlanner(iterations=8),
    "gradient": GradientPlanner(steps=80),
    "random-shooting": RandomShootingPlanner(samples=65536),
}
PRECISION = {"random-shooting": 0.3}  # of an action, where it is not 0.01


@pytest.fixture(params=sorted(PLANNERS))
def planner(request: pytest.FixtureRequest) -> Planner:
    """Every planner in turn."""
    return THOROUGH[request.param]


@pytest.fixture
def precision(request: pytest.FixtureRequest) -> float:
    """How near to the optimum the ``planner`` must come, in units of the action."""
    return PRECISION.get(request.node.callspec.params["planner"], 0.01)


@pytest.fixture
def quadratic() -> Quadratic:
    """3 episodes, 2 steps of one tick of 2 numbers; the third's optimum is partly off the box."""
    return quadratic_of(2, 1, 2)
