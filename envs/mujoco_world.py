"""What worlds in MuJoCo share: their pictures, their state, and what disturbs the body."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from envs.base import Array, Image
from envs.mujoco_disturbance import MujocoDisturbances
from envs.mujoco_stage import StageCamera


class MujocoWorld(MujocoDisturbances, ABC):
    """The part of a world that is its ``physics``, dm_control's Physics; see ``envs.base.World``.

    Pictures are drawn when the first is asked for, so a world that is only simulated needs no
    OpenGL.
    """

    def __init__(self, physics: Any) -> None:
        super().__init__(physics)
        self._camera: StageCamera | None = None

    def frame(self) -> Image:
        """What the camera sees now, uint8 (size, size, 3)."""
        return self._draw(self.physics.data.qpos)

    def state(self) -> Array:
        """``qpos`` then ``qvel``, raw: an angle is not wrapped."""
        return np.concatenate([self.physics.data.qpos, self.physics.data.qvel])

    def drawn_with(self) -> dict[str, str]:
        """See :class:`envs.base.Drawn`."""
        return self._opened().drawn_with()

    def close(self) -> None:
        """Give back the OpenGL context."""
        if self._camera is not None:
            self._camera.close()
            self._camera = None

    @abstractmethod
    def _open_camera(self) -> StageCamera:
        """What draws this world."""

    def _draw(self, qpos: ArrayLike) -> Image:
        return self._opened().draw(qpos)

    def _opened(self) -> StageCamera:
        if self._camera is None:
            self._camera = self._open_camera()
        return self._camera
