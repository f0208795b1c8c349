"""Planners over a batched cost function; no network and no simulator in sight."""

from collections.abc import Callable, Mapping

from planners.base import (
    ActionBounds,
    CostFn,
    Deadline,
    LeastSquaresCost,
    Noise,
    Plan,
    Planner,
    SeededNoise,
)
from planners.cem import CEMPlanner
from planners.gauss_newton import GaussNewtonPlanner
from planners.gradient import GradientPlanner
from planners.icem import ICEMPlanner
from planners.mppi import MPPIPlanner
from planners.random_shooting import RandomShootingPlanner

PLANNERS: Mapping[str, Callable[[], Planner]] = {
    "gauss-newton": GaussNewtonPlanner,
    "cem": CEMPlanner,
    "icem": ICEMPlanner,
    "mppi": MPPIPlanner,
    "gradient": GradientPlanner,
    "random-shooting": RandomShootingPlanner,
}
"""Every planner by name, with settings that suit control at every tick."""
SEARCHED = ("cost_fn", "warm_start", "bounds", "noise", "deadline")
"""What ``plan`` of a planner is called with."""

__all__ = [
    "PLANNERS",
    "SEARCHED",
    "ActionBounds",
    "CEMPlanner",
    "CostFn",
    "Deadline",
    "GaussNewtonPlanner",
    "GradientPlanner",
    "ICEMPlanner",
    "LeastSquaresCost",
    "MPPIPlanner",
    "Noise",
    "Plan",
    "Planner",
    "RandomShootingPlanner",
    "SeededNoise",
]
