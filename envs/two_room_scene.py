"""The two rooms as solids: walls, and a ball for the dot, to take hold of. Pixels of 224, y up."""

from __future__ import annotations

import numpy as np

from envs.base import Array
from envs.errors import PoseError
from envs.scene import UPRIGHT, Part, Placed, View, checked_point
from envs.two_room_geometry import (
    BORDER_PX,
    DOOR_PX,
    DOT_SIGMA_PX,
    LINE_PX,
    SIDE_PX,
    WALL_PX,
    is_free,
)

HEIGHT_PX, RADIUS_PX = 6.0, DOT_SIGMA_PX
GREY, RED = (90, 90, 100), (220, 50, 40)
MIDDLE_PX = SIDE_PX / 2
LEAST_PX, MOST_PX = BORDER_PX, SIDE_PX - BORDER_PX
SPANS = {  # x from and to, y from and to
    "left": (LEAST_PX - LINE_PX, LEAST_PX, LEAST_PX, MOST_PX),
    "right": (MOST_PX, MOST_PX + LINE_PX, LEAST_PX, MOST_PX),
    "top": (LEAST_PX - LINE_PX, MOST_PX + LINE_PX, LEAST_PX - LINE_PX, LEAST_PX),
    "bottom": (LEAST_PX - LINE_PX, MOST_PX + LINE_PX, MOST_PX, MOST_PX + LINE_PX),
    "above the door": (*WALL_PX, LEAST_PX, DOOR_PX[0]),
    "below the door": (*WALL_PX, DOOR_PX[1], MOST_PX),
}


class TwoRoomScene:
    """See :class:`envs.scene.Scene`."""

    grips: tuple[str, ...] = ("dot",)
    view = View(
        eye=(MIDDLE_PX, -MIDDLE_PX, 2.2 * SIDE_PX),
        target=(MIDDLE_PX, -MIDDLE_PX, 0.0),
        up=(0.0, 1.0, 0.0),
    )

    def __init__(self) -> None:
        walls = [_wall(name, *span) for name, span in SPANS.items()]
        self.parts = (*walls, Part("dot", "sphere", (RADIUS_PX,), RED))
        middles = [((x0 + x1) / 2, -(y0 + y1) / 2, 0.0) for x0, x1, y0, y1 in SPANS.values()]
        self._walls = np.array(middles)

    def place(self, state: Array) -> Placed:
        """The dot at x, y of ``state`` (2,)."""
        positions = np.concatenate([self._walls, self.points(state)])
        return Placed(positions, np.tile(UPRIGHT, (len(positions), 1)))

    def points(self, state: Array) -> Array:
        """The dot, (1, 3)."""
        return np.array([[state[0], -state[1], 0.0]])

    def drag(self, grip: int, to: Array, state: Array) -> Array:
        """The dot at ``to``.

        Raises:
            PoseError: for a place in a wall or outside.
        """
        place: Array = checked_point(to)[:2] * (1.0, -1.0)
        if not is_free(place):
            raise PoseError(
                f"expected a place in one of the rooms, got x = {place[0]:.0f}, y = {place[1]:.0f} "
                "px: in a wall or outside"
            )
        return place


def _wall(name: str, x0: float, x1: float, y0: float, y1: float) -> Part:
    return Part(name, "box", ((x1 - x0) / 2, (y1 - y0) / 2, HEIGHT_PX / 2), GREY, fixed=True)
