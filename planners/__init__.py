"""Planners over a batched cost function; no network and no simulator in sight."""

from planners.base import ActionBounds, CostFn, LeastSquaresCost, Plan, Planner
from planners.cem import CEMConfig, CEMPlanner
from planners.gauss_newton import GaussNewtonConfig, GaussNewtonPlanner

__all__ = [
    "ActionBounds",
    "CEMConfig",
    "CEMPlanner",
    "CostFn",
    "GaussNewtonConfig",
    "GaussNewtonPlanner",
    "LeastSquaresCost",
    "Plan",
    "Planner",
]
