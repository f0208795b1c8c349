"""The solids of any MuJoCo model, as ``envs.scene`` has them, and where it is taken hold of."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from envs.base import Array
from envs.scene import Part, Placed, Shape, View, checked_point

SHAPES: dict[str, Shape] = {
    "mjGEOM_SPHERE": "sphere",
    "mjGEOM_CAPSULE": "capsule",
    "mjGEOM_ELLIPSOID": "ellipsoid",
    "mjGEOM_CYLINDER": "cylinder",
    "mjGEOM_BOX": "box",
    "mjGEOM_MESH": "mesh",
}
UNCOLOURED = (0.5, 0.5, 0.5, 1.0)  # the colour of a geom that has its material's
SHOWN_GROUPS = 3  # as MuJoCo's own viewer: the groups beyond are for collisions
ROUNDS = 60
CLOSE = 1e-5  # of the model's extent
LEAST_DAMPING, MOST_DAMPING = 1e-6, 1e4
LONG = ("mjGEOM_CAPSULE", "mjGEOM_CYLINDER")  # along their own z


class MujocoScene:
    """See :class:`envs.scene.Scene`; a grip is at the far end of each body that carries no other.

    Args:
        model: mujoco's MjModel.
        view: whence to look; None for a view from the side on all of it.
        hidden: parts whose names begin so are left out; "" hides none.
    """

    grips: tuple[str, ...]

    def __init__(self, model: Any, view: View | None = None, hidden: str = "") -> None:
        self._hidden = hidden
        self._mujoco: Any = importlib.import_module("mujoco")
        self._model, self._data = model, self._mujoco.MjData(model)
        self._shown = [geom for geom in range(model.ngeom) if self._is_shown(geom)]
        self.parts = tuple(self._part(geom) for geom in self._shown)
        self._ends = self._carrying_none()
        self._places = [self._far_end(body) for body in self._ends]
        self.grips = tuple(model.body(body).name or f"body {body}" for body in self._ends)
        self.view = view or self._from_the_side()

    def place(self, state: Array) -> Placed:
        """Where the solids are in a state that begins with the positions."""
        self._pose(state)
        turns = np.empty((len(self._shown), 4))
        for row, geom in enumerate(self._shown):
            self._mujoco.mju_mat2Quat(turns[row], self._data.geom_xmat[geom])
        return Placed(np.array(self._data.geom_xpos[self._shown]), turns)

    def points(self, state: Array) -> Array:
        """Where the grips are, (G, 3)."""
        self._pose(state)
        return np.array([self._point(grip) for grip in range(len(self._ends))]).reshape(-1, 3)

    def drag(self, grip: int, to: Array, state: Array) -> Array:
        """The body at rest, near ``state``, with that grip as near to ``to`` as it can be.

        By damped least squares (Levenberg, Marquardt), within the ranges of the joints.
        """
        wanted, best, damping = checked_point(to), np.array(state[: self._model.nq]), 1e-2
        self._pose(best)
        error = wanted - self._point(grip)
        for _ in range(ROUNDS):
            if np.linalg.norm(error) < CLOSE * self._model.stat.extent or damping > MOST_DAMPING:
                break
            tried = self._stepped(best, grip, error, damping)
            self._pose(tried)
            missed = wanted - self._point(grip)
            if np.linalg.norm(missed) < np.linalg.norm(error):
                best, error, damping = tried, missed, max(damping / 4, LEAST_DAMPING)
            else:
                damping *= 4
        return np.concatenate([best, np.zeros(self._model.nv)])

    def _stepped(self, qpos: Array, grip: int, error: Array, damping: float) -> Array:
        model, slopes = self._model, np.empty((3, self._model.nv))
        self._pose(qpos)
        self._mujoco.mj_jac(model, self._data, slopes, None, self._point(grip), self._ends[grip])
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

    def _pose(self, state: Array) -> None:
        self._data.qpos[:] = state[: self._model.nq]
        self._mujoco.mj_kinematics(self._model, self._data)
        self._mujoco.mj_comPos(self._model, self._data)

    def _point(self, grip: int) -> Array:
        body = self._ends[grip]
        turn: Array = self._data.xmat[body].reshape(3, 3)
        return np.asarray(self._data.xpos[body] + turn @ self._places[grip])

    def _carrying_none(self) -> list[int]:
        """Moving bodies with solids to be seen, at the end of what carries them."""
        model = self._model
        carrying = {int(model.body_parentid[body]) for body in range(model.nbody)}
        ends = {int(model.geom_bodyid[geom]) for geom in self._shown} - carrying
        return sorted(body for body in ends if model.body_weldid[body] != 0)

    def _far_end(self, body: int) -> Array:
        """Of all ends of its solids the one furthest from its joint, in its own frame."""
        own = [geom for geom in self._shown if self._model.geom_bodyid[geom] == body]
        ends = [end for geom in own for end in self._ends_of(geom)]
        return max(ends, key=lambda end: float(np.linalg.norm(end)))

    def _ends_of(self, geom: int) -> list[Array]:
        model, middle = self._model, np.array(self._model.geom_pos[geom])
        if self._kind(geom) not in LONG:
            return [middle]
        along, turn = np.array([0.0, 0.0, model.geom_size[geom][1]]), np.empty(3)
        self._mujoco.mju_rotVecQuat(turn, along, model.geom_quat[geom])
        return [middle - turn, middle + turn]

    def _kind(self, geom: int) -> str:
        return str(self._mujoco.mjtGeom(self._model.geom_type[geom]).name)

    def _is_shown(self, geom: int) -> bool:
        if self._hidden and self._model.geom(geom).name.startswith(self._hidden):
            return False
        drawn = self._rgba(geom)[3] > 0 and self._model.geom_group[geom] < SHOWN_GROUPS
        return bool(drawn) and self._kind(geom) in SHAPES

    def _rgba(self, geom: int) -> Array:
        material, rgba = self._model.geom_matid[geom], self._model.geom_rgba[geom]
        if material >= 0 and np.allclose(rgba, UNCOLOURED):
            rgba = self._model.mat_rgba[material]
        return np.asarray(rgba, np.float64)

    def _part(self, geom: int) -> Part:
        model, shape = self._model, SHAPES[self._kind(geom)]
        red, green, blue = (int(255 * share) for share in self._rgba(geom)[:3])
        fixed = bool(model.body_weldid[model.geom_bodyid[geom]] == 0)
        size = tuple(model.geom_size[geom].tolist())
        name = f"{geom}-{model.geom(geom).name or shape}"
        if shape != "mesh":
            return Part(name, shape, size, (red, green, blue), fixed)
        mesh = model.mesh(model.geom_dataid[geom])
        first, count = int(mesh.vertadr[0]), int(mesh.vertnum[0])
        face, faces = int(mesh.faceadr[0]), int(mesh.facenum[0])
        return Part(
            name, shape, size, (red, green, blue), fixed,
            np.array(model.mesh_vert[first : first + count], np.float64),
            np.array(model.mesh_face[face : face + faces], np.int32),
        )  # fmt: skip

    def _from_the_side(self) -> View:
        centre, extent = self._model.stat.center, float(self._model.stat.extent)
        eye = centre + extent * np.array([0.0, -1.6, 0.6])
        x, y, z = eye.tolist()
        return View((x, y, z), tuple(centre.tolist()), (0.0, 0.0, 1.0))
