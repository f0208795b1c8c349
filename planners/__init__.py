"""Planners over a batched cost function; no network and no simulator in sight."""

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
from planners.catalogue import PLANNERS
from planners.cem import CEMConfig, CEMPlanner
from planners.gauss_newton import GaussNewtonConfig, GaussNewtonPlanner
from planners.gradient import GradientConfig, GradientPlanner
from planners.icem import ICEMConfig, ICEMPlanner
from planners.mppi import MPPIConfig, MPPIPlanner
from planners.random_shooting import RandomShootingConfig, RandomShootingPlanner

__all__ = [
    "PLANNERS",
    "ActionBounds",
    "CEMConfig",
    "CEMPlanner",
    "CostFn",
    "Deadline",
    "GaussNewtonConfig",
    "GaussNewtonPlanner",
    "GradientConfig",
    "GradientPlanner",
    "ICEMConfig",
    "ICEMPlanner",
    "LeastSquaresCost",
    "MPPIConfig",
    "MPPIPlanner",
    "Noise",
    "Plan",
    "Planner",
    "RandomShootingConfig",
    "RandomShootingPlanner",
    "SeededNoise",
]
