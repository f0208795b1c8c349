"""What may be wrong with the body, where its world has such dials; and pushes."""

from __future__ import annotations

import numpy as np

from agent.interfaces import Array
from agent.live.controls import Button, Controlled, Value
from envs import Disturbable, View, World

PUSH_TICKS = 5
MAX_PUSH = 3.0  # times the body's weight
WAYS = {"left": (-1, 0), "right": (1, 0), "up": (0, 1), "down": (0, -1)}  # on the screen


class Body(Controlled):
    """Disturbs ``worlds`` alike; those that cannot be disturbed have no controls.

    ``view`` says which way is right and up on the page.
    """

    def __init__(self, worlds: list[World], view: View | None) -> None:
        self._worlds = [world for world in worlds if isinstance(world, Disturbable)]
        dials = self._worlds[0].dials if self._worlds else ()
        self._values = {dial.name: dial.usual for dial in dials}
        self._axes = _screen_axes(view)
        pushes = [Button(f"push-{way}", f"push {way}") for way in WAYS] if self._worlds else []
        self.controls = (*pushes, *dials)
        self._way, self._ticks = np.zeros(3), 0

    def set(self, name: str, value: Value) -> None:
        """See :class:`agent.live.controls.Controlled`."""
        self._values[name] = float(value)
        for world in self._worlds:
            world.turn(name, float(value))

    def press(self, name: str) -> None:
        """A short push across the page."""
        across, up = WAYS[name.removeprefix("push-")]
        self.push(across * self._axes[0] + up * self._axes[1], PUSH_TICKS)

    def push(self, way: Array, ticks: int) -> None:
        """Push along ``way`` (3,), cut to :data:`MAX_PUSH`, for the coming ``ticks``."""
        length = float(np.linalg.norm(way))
        if not np.isfinite(length):
            return
        self._way = way * min(1.0, MAX_PUSH / max(length, 1e-9))
        self._ticks = min(max(ticks, 0), PUSH_TICKS)

    def before_step(self) -> None:
        """Push, if that is under way; a step of every world follows."""
        if self._ticks:
            self._ticks -= 1
            for world in self._worlds:
                world.push(self._way)


def _screen_axes(view: View | None) -> tuple[Array, Array]:
    """Right and up on the screen, as unit vectors (3,) in space."""
    if view is None:
        return np.eye(3)[0], np.eye(3)[1]
    ahead = np.array(view.target) - np.array(view.eye)
    right = np.cross(ahead, view.up)
    up = np.cross(right, ahead)
    return right / np.linalg.norm(right), up / np.linalg.norm(up)
