"""One episode on film: the world as people see it, beside the goal, with the error above.

Drawing alone; the episode itself is played by the one loop of :mod:`agent.evaluation.play`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from agent.evaluation.statistics import in_digits
from agent.interfaces import Array, Image
from agent.reporting.video import PANEL_PX, beside_goal
from envs import Posable, Stretched, World, WorldError, WorldSpec, goal_unit, worst_error


class Camera:
    """A larger view of a world than the controller's: drawn anew where it can be posed.

    ``make_large`` makes one more of ``world`` that draws so many pixels a side. A world that cannot
    be posed, or has no choice of size, is shown as the controller sees it. ``aspect``: width to
    height of its camera's picture.
    """

    def __init__(self, world: World, make_large: Callable[[int], World]) -> None:
        self._large: World | None = None
        seen = world.camera_size() if isinstance(world, Stretched) else world.spec.image_size
        self.aspect = seen[1] / seen[0]
        if isinstance(world, Posable) and len(set(world.spec.image_size)) == 1:
            with suppress(WorldError):
                self._large = make_large(PANEL_PX)

    def shoot(self, frame: Image, state: Array) -> Image:
        """The world in ``state`` (S,), which the controller sees as ``frame``."""
        if isinstance(self._large, Posable):
            return self._large.picture(state)
        return frame

    def close(self) -> None:
        """Give the larger world back."""
        if self._large is not None:
            self._large.close()


class Reel:
    """A film in the making: ``frames`` RGB, the scene beside the goal, one a tick.

    ``goal_frame`` as the controller sees it; ``goal`` (S,) its state, None where only a picture is
    known.
    """

    def __init__(
        self, spec: WorldSpec, camera: Camera, goal_frame: Image, goal: Array | None
    ) -> None:
        self.frames: list[Image] = []
        self._spec, self._camera, self._goal = spec, camera, goal
        self._picture = goal_frame if goal is None else camera.shoot(goal_frame, goal)

    def add(self, frame: Image, state: Array) -> None:
        """One more moment, seen as ``frame`` in ``state`` (S,)."""
        caption = f"{len(self.frames) * self._spec.step_s:4.2f} s"
        if self._goal is not None and self._spec.goal_columns:
            error = worst_error(self._spec, state, self._goal)
            caption += f"\nerror {in_digits(float(error), 3)} {goal_unit(self._spec)}"
        scene = self._camera.shoot(frame, state)
        shown = beside_goal(scene, self._picture, caption, self._camera.aspect)
        self.frames.append(shown)
