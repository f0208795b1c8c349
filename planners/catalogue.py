"""Every planner by name, with settings that suit control at every tick."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from planners.base import Planner
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
