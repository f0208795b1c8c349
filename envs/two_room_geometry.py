"""Where a point in the two rooms gets to: walls, door, and what a step does at them. Pixels of 224.

The free space is closed: a point may stand on the face of a wall.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from envs.base import Array

SIDE_PX = 224.0
BORDER_PX, LINE_PX = 14.0, 4.0
WALL_PX = (107.0, 117.0)  # x: 112, 10 thick
DOOR_PX = (35.0, 63.0)  # y: 49, half-extent 14
STEP_PX = 5.0
DOT_SIGMA_PX = 7.0

# The wall beside the door, as corners (2 boxes, 2 axes); past the border nothing comes anyway.
LOWS = np.array([[WALL_PX[0], -np.inf], [WALL_PX[0], DOOR_PX[1]]])
HIGHS = np.array([[WALL_PX[1], DOOR_PX[0]], [WALL_PX[1], np.inf]])


def is_free(place: Array) -> bool:
    """Whether a point (2,) is in a room or in the door."""
    inside = bool(((place >= BORDER_PX) & (place <= SIDE_PX - BORDER_PX)).all())
    return inside and not in_wall(place[None])[0]


def sample_place(rng: np.random.Generator) -> Array:
    """A point (2,) uniform over the rooms and the door."""
    while True:
        place: Array = rng.uniform(BORDER_PX, SIDE_PX - BORDER_PX, 2)
        if is_free(place):
            return place


def in_wall(places: Array) -> NDArray[np.bool_]:
    """Whether points (N, 2) are within the wall, (N,)."""
    x, y = places[:, 0], places[:, 1]
    return (x > WALL_PX[0]) & (x < WALL_PX[1]) & ((y < DOOR_PX[0]) | (y > DOOR_PX[1]))


def move(places: Array, actions: Array, swept: bool) -> Array:
    """Where points (N, 2) are after ``actions`` (N, 2), which are clipped to [-1, 1]: (N, 2)."""
    to = places + STEP_PX * np.clip(actions, -1.0, 1.0)
    to = np.clip(to, BORDER_PX, SIDE_PX - BORDER_PX)
    x, before = to[:, 0], places[:, 0]
    near = (np.minimum(x, before) < WALL_PX[1]) & (np.maximum(x, before) > WALL_PX[0])
    if near.any():
        stop = _swept if swept else _end_tested
        to[near] = stop(places[near], to[near])
    return to


def _end_tested(places: Array, to: Array) -> Array:
    """Points that end in the wall are put on the face they came from."""
    blocked = in_wall(to)
    in_door = (places[:, 0] > WALL_PX[0]) & (places[:, 0] < WALL_PX[1])
    x_face = np.where(places[:, 0] <= WALL_PX[0], *WALL_PX)
    x = np.where(blocked & ~in_door, x_face, to[:, 0])
    y = np.where(blocked & in_door, np.clip(to[:, 1], *DOOR_PX), to[:, 1])
    return np.stack([x, y], -1)


def _swept(places: Array, to: Array) -> Array:
    """Points stop where their way first meets the wall, and slide along its face.

    A way enters an open box where it has entered the box's extent along every axis and left it
    along none. Both boxes have their faces in line, so what slides meets nothing more.
    """
    after = to.copy()
    way = to - places
    for low, high in zip(LOWS, HIGHS, strict=True):
        with np.errstate(divide="ignore", invalid="ignore"):
            times = np.stack([(low - places) / way, (high - places) / way])  # (2, N, 2)
        still = way == 0.0
        within = (places > low) & (places < high)
        enter = np.where(still, np.where(within, -np.inf, np.inf), times.min(0))
        leave = np.where(still, np.where(within, np.inf, -np.inf), times.max(0))
        hits = (enter.max(-1) < np.minimum(leave.min(-1), 1.0)) & (enter.max(-1) >= 0.0)
        for row in np.flatnonzero(hits):
            axis = int(enter[row].argmax())
            after[row, axis] = low[axis] if way[row, axis] > 0.0 else high[axis]
    return after
