"""dm_control's Reacher: physics, pictures, goals, tasks, and its gymnasium environments.

Importing it starts neither MuJoCo nor OpenGL: names that need them are loaded on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from envs.reacher.angles import (
    WRIST_LIMIT_RAD,
    angle_error_rad,
    checked_pose,
    sample_pose,
    wrap_angle,
)
from envs.reacher.kinematics import goal_pose_from_inverse_kinematics
from envs.reacher.registration import DMC_IDS, PIXEL_GOAL_ID, STATE_GOAL_ID, register_environments
from envs.reacher.targets import (
    EPISODE_PHYSICS_STEPS,
    REACH_M,
    fingertip_m,
    nearer_goal_pose,
    sample_target_m,
    target_reward,
)

if TYPE_CHECKING:
    from envs.reacher.dmc_env import ReacherDmcEnv
    from envs.reacher.goal_envs import ReacherPixelGoalEnv, ReacherStateGoalEnv
    from envs.reacher.rendering import Renderer
    from envs.reacher.simulator import ACTION_REPEAT, PHYSICS_DT_S, TORQUE_DIM, ReacherSimulator
    from envs.reacher.stationary import STATIONARY
    from envs.reacher.world import ReacherWorld

_HOMES = {
    "ACTION_REPEAT": "envs.reacher.simulator",
    "PHYSICS_DT_S": "envs.reacher.simulator",
    "ReacherDmcEnv": "envs.reacher.dmc_env",
    "ReacherPixelGoalEnv": "envs.reacher.goal_envs",
    "ReacherSimulator": "envs.reacher.simulator",
    "ReacherStateGoalEnv": "envs.reacher.goal_envs",
    "Renderer": "envs.reacher.rendering",
    "ReacherWorld": "envs.reacher.world",
    "STATIONARY": "envs.reacher.stationary",
    "TORQUE_DIM": "envs.reacher.simulator",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'envs.reacher' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


__all__ = [
    "ACTION_REPEAT",
    "DMC_IDS",
    "EPISODE_PHYSICS_STEPS",
    "PHYSICS_DT_S",
    "PIXEL_GOAL_ID",
    "REACH_M",
    "STATE_GOAL_ID",
    "STATIONARY",
    "TORQUE_DIM",
    "WRIST_LIMIT_RAD",
    "ReacherDmcEnv",
    "ReacherPixelGoalEnv",
    "ReacherSimulator",
    "ReacherStateGoalEnv",
    "ReacherWorld",
    "Renderer",
    "angle_error_rad",
    "checked_pose",
    "fingertip_m",
    "goal_pose_from_inverse_kinematics",
    "nearer_goal_pose",
    "register_environments",
    "sample_pose",
    "sample_target_m",
    "target_reward",
    "wrap_angle",
]
