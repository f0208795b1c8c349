"""What may be wrong with the camera and, where its world has such dials, with the body; pushes."""

from __future__ import annotations

import numpy as np

from agent.interfaces import Array, Image
from agent.live.controls import Button, Controlled, Value
from envs import Dial, Disturbable, View, World

OF_THE_CAMERA = (
    Dial("noise", "camera noise, of 255", 0, 80, 0, 1),
    Dial("light", "light ×", 0.2, 2.0, 1.0, 0.05),
    Dial("warmth", "colour, blue to red", -1.0, 1.0, 0.0, 0.05),
    Dial("hangs", "the camera hangs", 0, 1, 0, 1),
)
PUSH_TICKS = 5
MAX_PUSH = 3.0  # times the body's weight
WAYS = {"left": (-1, 0), "right": (1, 0), "up": (0, 1), "down": (0, -1)}  # on the screen


class Lens(Controlled):
    """Between the camera and the controller."""

    controls = OF_THE_CAMERA

    def __init__(self, rng: np.random.Generator) -> None:
        self._values = {dial.name: dial.usual for dial in OF_THE_CAMERA}
        self._rng = rng
        self._last: Image | None = None

    def set(self, name: str, value: Value) -> None:
        """See :class:`agent.live.controls.Controlled`."""
        self._values[name] = float(value)

    def look(self, frame: Image) -> Image:
        """What arrives of ``frame``, uint8 (h, w, 3)."""
        if self._values["hangs"] and self._last is not None:
            return self._last
        self._last = self._disturbed(frame)
        return self._last

    def _disturbed(self, frame: Image) -> Image:
        dials = ("noise", "light", "warmth")
        noise, light, warmth = (float(self._values[name]) for name in dials)
        if not noise and light == 1 and not warmth:
            return frame
        shares = light * np.array([1 + 0.5 * warmth, 1.0, 1 - 0.5 * warmth])
        pixels = frame * shares + (self._rng.normal(0, noise, frame.shape) if noise else 0.0)
        return np.clip(pixels + 0.5, 0, 255).astype(np.uint8)


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
