"""dm_control's Reacher: physics, pictures, goals and tasks.

Importing it starts neither MuJoCo nor OpenGL.
"""

from envs.reacher.angles import (
    WRIST_LIMIT_RAD,
    angle_error_rad,
    checked_pose,
    sample_pose,
    wrap_angle,
)
from envs.reacher.simulator import ACTION_REPEAT, PHYSICS_DT_S, TORQUE_DIM, ReacherSimulator
from envs.reacher.stationary import STATIONARY
from envs.reacher.targets import (
    EPISODE_PHYSICS_STEPS,
    REACH_M,
    fingertip_m,
    goal_pose_from_inverse_kinematics,
    nearer_goal_pose,
    sample_target_m,
    target_reward,
)
from envs.reacher.world import ReacherWorld, arm_camera

__all__ = [
    "ACTION_REPEAT",
    "EPISODE_PHYSICS_STEPS",
    "PHYSICS_DT_S",
    "REACH_M",
    "STATIONARY",
    "TORQUE_DIM",
    "WRIST_LIMIT_RAD",
    "ReacherSimulator",
    "ReacherWorld",
    "angle_error_rad",
    "arm_camera",
    "checked_pose",
    "fingertip_m",
    "goal_pose_from_inverse_kinematics",
    "nearer_goal_pose",
    "sample_pose",
    "sample_target_m",
    "target_reward",
    "wrap_angle",
]
