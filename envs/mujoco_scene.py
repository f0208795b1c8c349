"""The solids of any MuJoCo model, as ``envs.scene`` has them."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from envs.base import Array
from envs.mujoco_grips import Grips
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


class MujocoScene:
    """See :class:`envs.scene.Scene`; it is taken hold of by what carries nothing further.

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
        self._grips = Grips(model, self._shown)
        self.grips = self._grips.names
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
        return self._grips.points(state[: self._model.nq])

    def drag(self, grip: int, to: Array, state: Array) -> Array:
        """The body at rest, near ``state``, with that grip as near to ``to`` as it can be.

        Raises:
            PoseError: for a point that is no three finite numbers.
        """
        pose = self._grips.drag(grip, checked_point(to), state[: self._model.nq])
        return np.concatenate([pose, np.zeros(self._model.nv)])

    def _pose(self, state: Array) -> None:
        self._data.qpos[:] = state[: self._model.nq]
        self._mujoco.mj_kinematics(self._model, self._data)

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
