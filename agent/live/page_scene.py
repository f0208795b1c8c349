"""The scene on the page: the body, and the ghost of its goal, which is dragged by its grips."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from agent.interfaces import Array
from agent.live.moment import Moment, Opening
from agent.live.solids import triangles
from agent.live.wishes import DragGoal, Wish
from envs import Placed, View

REACH = 3.0  # distance of the first view, in the page's units
GRIP_SIZE = 0.09
GHOST_RGB, GRIP_RGB = (70, 200, 120), (30, 160, 80)


class PageScene:
    """Solids on a viser server."""

    def __init__(self, server: Any, opening: Opening, ask: Callable[[Wish], bool]) -> None:
        assert opening.view is not None
        self._server, self._ask, self._view = server, ask, opening.view
        eye, target = np.array(opening.view.eye), np.array(opening.view.target)
        self._scale = REACH / float(np.linalg.norm(eye - target))
        self._look(opening.view)
        self._body = self._solids("body", opening, None)
        self._goal = self._solids("goal", opening, GHOST_RGB)
        self._grips = [self._grip(i, name) for i, name in enumerate(opening.grips)]

    def show(self, moment: Moment) -> None:
        """Move everything to where it is now."""
        if moment.body is not None:
            self._move(self._body, moment.body)
        if moment.goal is not None:
            self._move(self._goal, moment.goal.placed)
            for handle, point in zip(self._grips, moment.goal.grips, strict=True):
                handle.position = tuple(self._scale * point)

    def _look(self, view: View) -> None:
        scene, camera = self._server.scene, self._server.initial_camera
        scene.configure_default_lights(cast_shadow=False)
        scene.set_up_direction(tuple(map(float, view.up)))
        camera.position = tuple(self._scale * np.array(view.eye))
        camera.look_at = tuple(self._scale * np.array(view.target))
        camera.up = tuple(map(float, view.up))

    def _solids(self, kind: str, opening: Opening, rgb: tuple[int, int, int] | None) -> list[Any]:
        handles: list[Any] = []
        for part in opening.parts:
            if rgb is not None and part.fixed:
                handles.append(None)
                continue
            vertices, faces = triangles(part, self._scale)
            handles.append(
                self._server.scene.add_mesh_simple(
                    f"/{kind}/{part.name}", vertices, faces, color=rgb or part.rgb,
                    opacity=None if rgb is None else 0.4, cast_shadow=False, receive_shadow=False,
                )
            )  # fmt: skip
        return handles

    def _move(self, handles: list[Any], placed: Placed) -> None:
        for handle, position, turn in zip(handles, placed.positions, placed.turns, strict=True):
            if handle is not None:
                handle.position, handle.wxyz = tuple(self._scale * position), tuple(turn)

    def _grip(self, number: int, name: str) -> Any:
        handle = self._server.scene.add_icosphere(
            f"/goal/grip-{name}", radius=GRIP_SIZE, subdivisions=2, color=GRIP_RGB, opacity=0.7,
            cast_shadow=False, receive_shadow=False,
        )  # fmt: skip

        @handle.on_drag("left")  # type: ignore[untyped-decorator]
        async def _(event: Any) -> None:
            to = self._under(event, np.array(handle.position))
            done = event.phase == "end"
            self._ask(DragGoal(event.client_id, number, tuple((to / self._scale).tolist()), done))

        return handle

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
