"""What stands still is drawn once, and what moves is laid over it: half the time of a picture.

Colours and depths of what stands still are kept. Then only what moves is drawn, and its pixels are
taken where they are no farther from the camera: of two equally far OpenGL shows the later one.
Pictures are to the bit those of everything drawn at once, provided that nothing else changes with
the pose (:func:`stands_still`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs.base import Image
from envs.opencv import import_opencv

FREE_CAMERA = -1
_FIXED = 0  # MuJoCo's mode of a camera or a light that moves with its body alone
_GROUND = 0  # the body that is the world itself
_STATIC = 1  # its category of solids that stand still

Depths = NDArray[np.float32]


class Scenery:
    """``colours`` (h, w, 3) of all that stands still, and how near it is: ``depths`` (h, w).

    Depths are OpenGL's own, as MuJoCo has them: larger is nearer, 0 is farthest.
    """

    def __init__(self, colours: Image, depths: Depths) -> None:
        self._cv2 = import_opencv()
        self._colours, self._depths = colours, depths

    def behind(self, colours: Image, depths: Depths) -> Image:
        """What moves, with all this behind it or before it; a fresh picture."""
        whole = self._colours.copy()
        before = self._cv2.compare(depths, self._depths, self._cv2.CMP_GE)
        self._cv2.copyTo(colours, before, whole)
        return whole


def stands_still(model: Any, scene: Any, camera: int) -> bool:
    """Whether a picture is what moves before what stands still, in a ``scene`` of all solids.

    It is not where the camera or a light is carried along, where something is seen through, where
    a surface changes its shape, or where what moves is drawn first.
    """
    solids = scene.geoms[: scene.ngeom]
    moves = [solid.category != _STATIC for solid in solids]
    return bool(
        (camera == FREE_CAMERA or _is_fixed(model.cam_mode, model.cam_bodyid, camera))
        and all(_is_fixed(model.light_mode, model.light_bodyid, i) for i in range(model.nlight))
        and all(solid.rgba[3] == 1 and not solid.transparent for solid in solids)
        and moves == sorted(moves)
        and not scene.nskin
        and not scene.nflex
    )


def _is_fixed(mode: Any, body: Any, index: int) -> bool:
    return bool(mode[index] == _FIXED and body[index] == _GROUND)
