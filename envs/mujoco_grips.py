"""Points at which any MuJoCo body is taken hold of, and the pose in which one is elsewhere."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from envs.base import Array

ROUNDS = 60
CLOSE = 1e-5  # of the model's extent
LEAST_DAMPING, MOST_DAMPING = 1e-6, 1e4
LONG = ("mjGEOM_CAPSULE", "mjGEOM_CYLINDER")  # along their own z


class Grips:
    """One at the far end of each body that carries no other; ``model`` is mujoco's MjModel.

    ``geoms`` are those to be seen: what is hidden has none. ``names`` are the bodies'.
    """

    def __init__(self, model: Any, geoms: Sequence[int]) -> None:
        self._mujoco: Any = importlib.import_module("mujoco")
        self._model, self._data = model, self._mujoco.MjData(model)
        carrying = {int(model.body_parentid[body]) for body in range(model.nbody)}
        ends = {int(model.geom_bodyid[geom]) for geom in geoms} - carrying
        self._bodies = sorted(body for body in ends if model.body_weldid[body] != 0)
        self._places = [self._far_end(body, geoms) for body in self._bodies]
        self.names = tuple(model.body(body).name or f"body {body}" for body in self._bodies)

    def points(self, qpos: Array) -> Array:
        """Where they are, (G, 3)."""
        self._pose(qpos)
        return np.array([self._point(grip) for grip in range(len(self._bodies))]).reshape(-1, 3)

    def drag(self, grip: int, to: Array, qpos: Array) -> Array:
        """The pose (nq,) near ``qpos`` in which that grip is as near to ``to`` (3,) as it can be.

        By damped least squares (Levenberg, Marquardt), within the ranges of the joints.
        """
        self._pose(qpos)
        best, error, damping = np.array(qpos), to - self._point(grip), 1e-2
        for _ in range(ROUNDS):
            if np.linalg.norm(error) < CLOSE * self._model.stat.extent or damping > MOST_DAMPING:
                break
            tried = self._stepped(best, grip, error, damping)
            self._pose(tried)
            missed = to - self._point(grip)
            if np.linalg.norm(missed) < np.linalg.norm(error):
                best, error, damping = tried, missed, max(damping / 4, LEAST_DAMPING)
            else:
                damping *= 4
        return best

    def _stepped(self, qpos: Array, grip: int, error: Array, damping: float) -> Array:
        model, slopes = self._model, np.empty((3, self._model.nv))
        self._pose(qpos)
        self._mujoco.mj_jac(model, self._data, slopes, None, self._point(grip), self._bodies[grip])
        square = slopes @ slopes.T
        scale = max(float(np.trace(square)), 1e-12)
        step = slopes.T @ np.linalg.solve(square + damping * scale * np.eye(3), error)
        moved = np.array(qpos)
        self._mujoco.mj_integratePos(model, moved, step, 1.0)
        for joint in np.flatnonzero(model.jnt_limited):
            place = model.jnt_qposadr[joint]
            if model.jnt_type[joint] != int(self._mujoco.mjtJoint.mjJNT_BALL):
                moved[place] = np.clip(moved[place], *model.jnt_range[joint])
        return moved

    def _pose(self, qpos: Array) -> None:
        self._data.qpos[:] = qpos
        self._mujoco.mj_kinematics(self._model, self._data)
        self._mujoco.mj_comPos(self._model, self._data)

    def _point(self, grip: int) -> Array:
        body = self._bodies[grip]
        turn: Array = self._data.xmat[body].reshape(3, 3)
        return np.asarray(self._data.xpos[body] + turn @ self._places[grip])

    def _far_end(self, body: int, geoms: Sequence[int]) -> Array:
        """Of all ends of its solids the one furthest from its joint, in its own frame."""
        own = [geom for geom in geoms if self._model.geom_bodyid[geom] == body]
        ends = [end for geom in own for end in self._ends(geom)]
        return max(ends, key=lambda end: float(np.linalg.norm(end)))

    def _ends(self, geom: int) -> list[Array]:
        model, middle = self._model, np.array(self._model.geom_pos[geom])
        if self._mujoco.mjtGeom(model.geom_type[geom]).name not in LONG:
            return [middle]
        along, turn = np.array([0.0, 0.0, model.geom_size[geom][1]]), np.empty(3)
        self._mujoco.mju_rotVecQuat(turn, along, model.geom_quat[geom])
        return [middle - turn, middle + turn]
