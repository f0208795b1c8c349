"""Planners over a batched cost function; no network and no simulator in sight."""

from planners.base import ActionBounds, CostFn, LeastSquaresCost, Plan, Planner
from planners.catalogue import PLANNERS
from planners.cem import CEMConfig, CEMPlanner
from planners.gauss_newton import GaussNewtonConfig, GaussNewtonPlanner
from planners.icem import ICEMConfig, ICEMPlanner
from planners.mppi import MPPIConfig, MPPIPlanner

__all__ = [
    "PLANNERS",
    "ActionBounds",
    "CEMConfig",
    "CEMPlanner",
    "CostFn",
    "GaussNewtonConfig",
    "GaussNewtonPlanner",
    "ICEMConfig",
    "ICEMPlanner",
    "LeastSquaresCost",
    "MPPIConfig",
    "MPPIPlanner",
    "Plan",
    "Planner",
]
