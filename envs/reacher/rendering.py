"""Pictures of the arm from above, drawn by ``envs.mujoco_stage``.

At 64 pixels, 0.05 rad of the wrist is about half a pixel, visible only in the shades of the edges.
"""

from __future__ import annotations

from types import TracebackType
from typing import Self

from numpy.typing import ArrayLike

from envs.base import Image
from envs.mujoco_stage import StageCamera
from envs.reacher.angles import finite_pair
from envs.reacher.simulator import ReacherSimulator, make_physics

__all__ = ["Image", "Renderer"]

CAMERA_ID = 0


class Renderer:
    """Draws a simulator's arm from above; use it on the thread that made it.

    ``profile`` is "fast" or "dmc", ``size`` the side in pixels. Renderers of one profile and size
    share one OpenGL context. Raises ``ProfileError`` for an unknown profile or size, ``GLError``
    where nothing can be rendered.
    """

    def __init__(self, simulator: ReacherSimulator, profile: str = "fast", size: int = 64) -> None:
        self.profile = profile
        self.size = size
        self._simulator = simulator
        self._camera = StageCamera("reacher", make_physics, CAMERA_ID, profile, size)

    def render(self) -> Image:
        """The simulator's present pose, a fresh uint8 (size, size, 3), RGB, top row first."""
        return self._camera.draw(self._simulator.physics.data.qpos)

    def render_pose(self, qpos_rad: ArrayLike) -> Image:
        """The arm at rest in pose (2,); the simulator's state is untouched."""
        return self._camera.draw(finite_pair(qpos_rad, "qpos_rad"))

    def drawn_with(self) -> dict[str, str]:
        """See :class:`envs.base.Drawn`."""
        return self._camera.drawn_with()

    def close(self) -> None:
        """Give back the OpenGL context when no other renderer shares it. Safe to repeat."""
        self._camera.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
