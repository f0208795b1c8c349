"""Reacher as a world: two joints, two torques, seen from above, at a tick of 0.04 s."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from envs.base import Array, Column, Image, WorldSpec
from envs.behaviours import Behaviour
from envs.errors import PoseError
from envs.looks import check_look
from envs.mujoco_stage import StageCamera
from envs.mujoco_world import MujocoWorld
from envs.reacher.angles import WRIST_LIMIT_RAD, checked_pose, finite_pair, sample_pose
from envs.reacher.scene import ReacherScene
from envs.reacher.simulator import (
    ACTION_REPEAT,
    PHYSICS_DT_S,
    TORQUE_DIM,
    ReacherSimulator,
    make_physics,
)
from envs.reacher.stationary import STATIONARY
from envs.reacher.tasks import TASKS, TOLERANCE_RAD
from envs.tasks import Task

NAME = "reacher"
CAMERA_ID = 0
TURN_RAD = float(2.0 * np.pi)
STATE = (
    Column("shoulder", "rad", TURN_RAD, tolerance=TOLERANCE_RAD),
    Column("wrist", "rad", TURN_RAD, -WRIST_LIMIT_RAD, WRIST_LIMIT_RAD, TOLERANCE_RAD),
    Column("shoulder_speed", "rad/s"),
    Column("wrist_speed", "rad/s"),
)


def arm_camera(profile: str = "fast", size: int = 64) -> StageCamera:
    """Draws poses (2,) of the arm from above; errors as :class:`envs.mujoco_stage.StageCamera`.

    At 64 px, 0.05 rad of the wrist is about half a pixel, visible only in the shades of the edges.
    """
    return StageCamera(NAME, make_physics, CAMERA_ID, profile, size)


class ReacherWorld(MujocoWorld):
    """dm_control's Reacher without its task; see :class:`envs.base.World`.

    It can be posed and traced: there are ``ACTION_REPEAT`` physics steps in a tick. State (4,):
    angles [rad], the shoulder not wrapped, then speeds [rad/s]. Raises ``ProfileError`` for an
    unknown ``look`` or an absurd ``image_size``.
    """

    behaviours: Mapping[str, Behaviour] = MappingProxyType({"gaussian": STATIONARY})

    def __init__(self, look: str = "fast", image_size: int = 64) -> None:
        check_look(look, image_size)
        self.spec = WorldSpec(
            world=NAME,
            look=look,
            image_size=(image_size, image_size),
            action_dim=TORQUE_DIM,
            step_s=ACTION_REPEAT * PHYSICS_DT_S,
            state=STATE,
        )
        self.simulator = ReacherSimulator()
        super().__init__(self.simulator.physics)
        self._trace = self.state()[None]

    @property
    def tasks(self) -> Mapping[str, Task]:
        """See :class:`envs.tasks.OffersTasks`; with what counts here."""
        return {name: task.asking(self.spec) for name, task in TASKS.items()}

    def reset(self, rng: np.random.Generator, state: Array | None = None) -> None:
        """Begin in ``state`` (4,): angles [rad], speeds [rad/s]; at rest anywhere if none is given.

        Raises:
            PoseError: for a state the arm cannot take.
        """
        chosen = self.sample_state(rng) if state is None else _checked(state)
        self.simulator.reset(chosen[:TORQUE_DIM], chosen[TORQUE_DIM:])
        self._trace = self.state()[None]

    def step(self, action: Array) -> bool:
        """Torques (2,) for one tick; it never ends by itself."""
        self.before_step()
        self._trace = self.simulator.step_through(action)
        self.after_step()
        return False

    def trace(self) -> Array:
        """States (2, 4) after each physics step of the last tick."""
        return self._trace.copy()

    def sample_state(self, rng: np.random.Generator) -> Array:
        """Any pose the arm can take, at rest."""
        return np.concatenate([sample_pose(rng), np.zeros(TORQUE_DIM)])

    def picture(self, state: Array) -> Image:
        """The arm in the pose of ``state``, (4,) or its angles alone, (2,)."""
        return self._draw(finite_pair(np.asarray(state, np.float64)[:TORQUE_DIM], "qpos_rad"))

    def scene(self) -> ReacherScene:
        """See :class:`envs.scene.Staged`."""
        return ReacherScene(self.physics.model.ptr)

    def _open_camera(self) -> StageCamera:
        return arm_camera(self.spec.look, self.spec.image_size[0])


def _checked(state: Array) -> Array:
    given = np.asarray(state, dtype=np.float64)
    if given.shape != (2 * TORQUE_DIM,):
        raise PoseError(f"expected a state of two angles and two speeds, got shape {given.shape}")
    pose, speed = checked_pose(given[:TORQUE_DIM]), finite_pair(given[TORQUE_DIM:], "speeds")
    return np.concatenate([pose, speed])
