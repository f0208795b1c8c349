"""The scene on the page: the body, the ghost of its goal, which is dragged by its grips, a rival's
ghost, and where the body imagines its grips.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.extras import require
from agent.interfaces import Array
from agent.live.moment import Ghost, Glimpse, Moment
from agent.live.wishes import DragGoal, Push, Wish
from envs import Part, Placed, View

REACH = 3.0  # distance of the first view, in the page's units
DIGITS = 3
AMBIENT = 1.5
GRIP_SIZE = 0.09
PUSH_PER_LENGTH = 2.0  # body weights, by the page's unit of length
GOAL_RGB, GRIP_RGB, RIVAL_RGB, IMAGINED_RGB = (
    (70, 200, 120), (110, 0, 200), (210, 90, 120), (240, 150, 30),
)  # fmt: skip


def light(scene: Any) -> None:
    """Light without shadows and mirrored surroundings, for browsers that draw in software.

    Say it before anybody looks: their preparation alone takes such a browser seconds.
    """
    scene.configure_environment_map(None)
    scene.configure_default_lights(cast_shadow=False)
    scene.add_light_ambient("/light", intensity=AMBIENT)


class PageScene:
    """Solids on a viser server."""

    def __init__(self, server: Any, glimpse: Glimpse, ask: Callable[[Wish], bool]) -> None:
        assert glimpse.view is not None
        self._scene, self._ask, self._view = server.scene, ask, glimpse.view
        self._version = -1
        eye, target = np.array(glimpse.view.eye), np.array(glimpse.view.target)
        self._scale = REACH / float(np.linalg.norm(eye - target))
        self._look(server.initial_camera, glimpse.view)
        self._body = self._solids("body", glimpse, None)
        self._goal = self._solids("goal", glimpse, GOAL_RGB)
        self._rival = self._solids("rival", glimpse, RIVAL_RGB)
        self._grips = [self._grip(i, name) for i, name in enumerate(glimpse.grips)]
        self._imagined = self._scene.add_point_cloud(
            "/imagined", np.zeros((0, 3)), IMAGINED_RGB, point_size=0.035, point_shape="circle"
        )
        for part, handle in zip(glimpse.parts, self._body, strict=True):
            if not part.fixed:
                self._pushable(handle)
        self._move(self._body, glimpse.body)

    def show(self, moment: Moment) -> None:
        """Move everything to where it is now."""
        self._move(self._body, moment.body)
        self._move(self._rival, moment.rival)
        if moment.goal_version != self._version:
            self._version = moment.goal_version
            self._show_goal(moment.goal)
        if moment.imagined is not None:
            ahead = moment.imagined.points.reshape(-1, 3)
            self._imagined.points = self._rounded(ahead).astype(np.float32)

    def _show_goal(self, goal: Ghost | None) -> None:
        self._move(self._goal, goal.placed if goal else None)
        for number, handle in enumerate(self._grips):
            handle.visible = goal is not None
            if goal is not None:
                handle.position = tuple(self._rounded(goal.grips[number]))

    def _look(self, camera: Any, view: View) -> None:
        self._scene.set_up_direction(tuple(map(float, view.up)))
        camera.position = tuple(self._scale * np.array(view.eye))
        camera.look_at = tuple(self._scale * np.array(view.target))
        camera.up = tuple(map(float, view.up))

    def _solids(self, kind: str, glimpse: Glimpse, rgb: tuple[int, int, int] | None) -> list[Any]:
        """A handle for each part; None for what is fixed and shown with the body already."""
        handles: list[Any] = []
        for part in glimpse.parts:
            if rgb is not None and part.fixed:
                handles.append(None)
                continue
            vertices, faces = triangles(part, self._scale)
            made = self._scene.add_mesh_simple(
                f"/{kind}/{part.name}", vertices, faces, color=rgb or part.rgb,
                opacity=None if rgb is None else 0.4, cast_shadow=False, receive_shadow=False,
                visible=rgb is None,
            )  # fmt: skip
            handles.append(made)
        return handles

    def _move(self, handles: list[Any], placed: Placed | None) -> None:
        for row, handle in enumerate(handles):
            if handle is None:
                continue
            if handle.visible != (placed is not None):
                handle.visible = placed is not None
            if placed is not None:
                handle.position = tuple(self._rounded(placed.positions[row]))
                handle.wxyz = tuple(np.round(placed.turns[row], DIGITS))

    def _rounded(self, places: Array) -> Array:
        """At the page's size. What moves by less than is seen is not told: a browser draws the
        whole scene for a quarter of a second whenever anything is.
        """
        return np.round(self._scale * places, DIGITS)

    def _grip(self, number: int, name: str) -> Any:
        handle = self._scene.add_icosphere(
            f"/goal/grip-{name}", radius=GRIP_SIZE, subdivisions=2, color=GRIP_RGB,
            cast_shadow=False, receive_shadow=False, visible=False,
        )  # fmt: skip

        @handle.on_drag("left")  # type: ignore[untyped-decorator]
        async def _(event: Any) -> None:
            to = self._under(event, np.array(handle.position)) / self._scale
            x, y, z = to.tolist()
            self._ask(DragGoal(event.client_id, number, (x, y, z)))

        return handle

    def _pushable(self, handle: Any) -> None:
        """Dragging the body itself pushes it, the harder the further."""

        @handle.on_drag("left")  # type: ignore[untyped-decorator]
        async def _(event: Any) -> None:
            start = np.array(event.start_position)
            x, y, z = (PUSH_PER_LENGTH * (self._under(event, start) - start)).tolist()
            self._ask(Push(event.client_id, (x, y, z)))

    def _under(self, event: Any, point: Array) -> Array:
        """Where the pointer's ray meets the plane through ``point`` that the view is upright to."""
        eye = np.array(event.client.camera.position)
        ray = np.array(event.end_position) - eye
        normal = np.array(self._view.eye) - np.array(self._view.target)
        along = float(normal @ ray)
        if abs(along) < 1e-9:
            return point
        met: Array = eye + ray * (float(normal @ (point - eye)) / along)
        return met


def triangles(part: Part, scale: float) -> tuple[Array, NDArray[np.int32]]:
    """Vertices (V, 3), ``scale`` times as large, and faces (F, 3) of a part in its own frame."""
    mesh = _mesh(part)
    return np.asarray(mesh.vertices, np.float64) * scale, np.asarray(mesh.faces, np.int32)


def _mesh(part: Part) -> Any:
    trimesh: Any = require("trimesh")
    made, size = trimesh.creation, part.size
    if part.shape == "mesh":
        return trimesh.Trimesh(part.vertices, part.faces, process=False)
    if part.shape == "box":
        return made.box([2 * half for half in size])
    if part.shape == "cylinder":
        return made.cylinder(size[0], 2 * size[1], sections=24)
    if part.shape == "capsule":
        capsule = made.capsule(height=2 * size[1], radius=size[0], count=[12, 12])
        return capsule.apply_translation([0, 0, -capsule.bounds.mean(0)[2]])
    sphere = made.icosphere(subdivisions=2)
    return sphere.apply_scale(size if part.shape == "ellipsoid" else size[0])
