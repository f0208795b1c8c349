"""The Reacher world: physics, pictures, goals, and gymnasium environments.

Importing it registers the gymnasium ids and starts neither MuJoCo nor OpenGL: names that need
them are loaded on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from envs.angles import WRIST_LIMIT_RAD, angle_error_rad, checked_pose, sample_pose, wrap_angle
from envs.dmc import (
    EPISODE_PHYSICS_STEPS,
    REACH_M,
    fingertip_m,
    nearer_goal_pose,
    sample_target_m,
    target_reward,
)
from envs.errors import GLError, GoalImageError, PoseError, ProfileError
from envs.gl import configure_gl, probe
from envs.goals import goal_pose_from_inverse_kinematics, load_goal_image
from envs.opencv import import_opencv
from envs.profiles import PROFILES
from envs.registration import DMC_IDS, PIXEL_GOAL_ID, STATE_GOAL_ID, register_environments

if TYPE_CHECKING:
    from envs.dmc_env import ReacherDmcEnv
    from envs.reacher import ReacherPixelGoalEnv, ReacherStateGoalEnv
    from envs.rendering import Renderer
    from envs.simulator import ACTION_REPEAT, PHYSICS_DT_S, TORQUE_DIM, ReacherSimulator

_HOMES = {
    "ACTION_REPEAT": "envs.simulator",
    "PHYSICS_DT_S": "envs.simulator",
    "ReacherDmcEnv": "envs.dmc_env",
    "ReacherPixelGoalEnv": "envs.reacher",
    "ReacherSimulator": "envs.simulator",
    "ReacherStateGoalEnv": "envs.reacher",
    "Renderer": "envs.rendering",
    "TORQUE_DIM": "envs.simulator",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'envs' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


register_environments()

__all__ = [
    "ACTION_REPEAT",
    "DMC_IDS",
    "EPISODE_PHYSICS_STEPS",
    "PHYSICS_DT_S",
    "PIXEL_GOAL_ID",
    "PROFILES",
    "REACH_M",
    "STATE_GOAL_ID",
    "TORQUE_DIM",
    "WRIST_LIMIT_RAD",
    "GLError",
    "GoalImageError",
    "PoseError",
    "ProfileError",
    "ReacherDmcEnv",
    "ReacherPixelGoalEnv",
    "ReacherSimulator",
    "ReacherStateGoalEnv",
    "Renderer",
    "angle_error_rad",
    "checked_pose",
    "configure_gl",
    "fingertip_m",
    "goal_pose_from_inverse_kinematics",
    "import_opencv",
    "load_goal_image",
    "nearer_goal_pose",
    "probe",
    "register_environments",
    "sample_pose",
    "sample_target_m",
    "target_reward",
    "wrap_angle",
]
