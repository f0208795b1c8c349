"""The arm: dm_control's own Reacher physics, without its task, target and time limit.

One env step is ``ACTION_REPEAT`` physics steps of ``PHYSICS_DT_S`` with the same torque, the
control tick of the whole project. States are bit-equal to ``suite.load("reacher", "easy")``.
"""

from __future__ import annotations

import importlib
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from envs.base import Array
from envs.dm_control_library import explained_physics, import_dm_control
from envs.reacher.angles import finite_pair

if TYPE_CHECKING:
    from dm_control.suite.reacher import Physics

PHYSICS_DT_S = 0.02
ACTION_REPEAT = 2
TORQUE_DIM = 2


def make_physics() -> Physics:
    """dm_control's Reacher physics with the target made invisible.

    Raises ``GLError`` if ``MUJOCO_GL`` asks for a backend this machine does not have.
    """
    physics: Physics = _compiled_once().copy(share_model=False)
    return physics


@cache
def _compiled_once() -> Physics:
    """What all are copies of: to compile it takes ten times as long. It never draws or moves."""
    reacher = import_dm_control("dm_control.suite.reacher")
    physics: Physics = reacher.Physics.from_xml_string(*reacher.get_model_and_assets())
    physics.named.model.geom_rgba["target", 3] = 0.0
    return physics


class ReacherSimulator:
    """Two joints, two torques, no task: reset to any state, then step."""

    def __init__(self, action_repeat: int = ACTION_REPEAT) -> None:
        if action_repeat < 1:
            raise ValueError(f"expected action_repeat of at least 1, got {action_repeat}")
        self.action_repeat = action_repeat
        self._physics = make_physics()
        mujoco: Any = importlib.import_module("mujoco")  # it too reads MUJOCO_GL when imported
        self._scratch = mujoco.MjData(self._physics.model.ptr)

    @property
    def physics(self) -> Physics:
        """dm_control's Physics, for rendering and for the oracle."""
        return self._physics

    @property
    def qpos_rad(self) -> Array:
        """Joint angles (2,), raw: the shoulder is not wrapped. A copy."""
        return np.array(self._physics.data.qpos, dtype=np.float64)

    @property
    def qvel_rad_s(self) -> Array:
        """Joint velocities (2,). A copy."""
        return np.array(self._physics.data.qvel, dtype=np.float64)

    def reset(self, qpos_rad: ArrayLike, qvel_rad_s: ArrayLike = (0.0, 0.0)) -> None:
        """Put the arm in a state, (2,) and (2,); everything else as after a fresh start.

        Raises ``PoseError`` (a ``ValueError``) unless both are two finite numbers, ``WorldError``
        if they are too large to simulate.
        """
        qpos = finite_pair(qpos_rad, "qpos_rad")
        qvel = finite_pair(qvel_rad_s, "qvel_rad_s")
        with explained_physics("reacher"), self._physics.reset_context():
            self._physics.data.qpos[:] = qpos
            self._physics.data.qvel[:] = qvel

    def step(self, torque: ArrayLike) -> Array:
        """Apply one torque (2,), clipped to [-1, 1], for one env step.

        Returns the raw joint angles after each physics step, (action_repeat, 2). Raises
        ``ValueError`` unless the torque is two finite numbers.
        """
        return self.step_through(torque)[:, :TORQUE_DIM]

    def step_through(self, torque: ArrayLike) -> Array:
        """As :meth:`step`, with the joint velocities beside the angles: (action_repeat, 4)."""
        self._physics.set_control(np.clip(finite_pair(torque, "torque"), -1.0, 1.0))
        path = np.empty((self.action_repeat, 2 * TORQUE_DIM))
        with explained_physics("reacher"):
            for index in range(self.action_repeat):
                self._physics.step()
                path[index, :TORQUE_DIM] = self._physics.data.qpos
                path[index, TORQUE_DIM:] = self._physics.data.qvel
        return path

    def roll(self, states: Array, torques: Array) -> Array:
        """Where plans lead, without disturbing the arm: states (N, T, 4).

        A state is the two raw joint angles [rad] and their velocities [rad/s]. ``states`` (N, 4)
        are those before, ``torques`` (N, T, 2) those of T env steps, clipped as ``step`` clips
        them; what comes back are the states after each. Bit-equal to ``reset`` and ``step``, and
        six times as fast, as MuJoCo's own loop (``mujoco.rollout``) stays out of Python. Raises
        ``ValueError`` if there is a number that is not finite.
        """
        if not (np.isfinite(states).all() and np.isfinite(torques).all()):
            raise ValueError("expected finite states and torques to roll, got NaN or infinity")
        from mujoco import rollout

        initial = np.pad(states, ((0, 0), (1, 0)))  # time 0, then the state: this arm has no more
        controls = np.repeat(np.clip(torques, -1.0, 1.0), self.action_repeat, axis=1)
        path, _ = rollout.rollout(self._physics.model.ptr, self._scratch, initial, controls)
        after: Array = path[:, self.action_repeat - 1 :: self.action_repeat, 1:]
        return after
