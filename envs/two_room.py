"""Two rooms and a door: a dot that moves 5 px a step, in numpy, without a simulator or OpenGL.

The geometry is that of TwoRoom in the stable-worldmodel benchmark: a picture of 224 px with a
border of 14 px (a line of 4 px), a wall 10 px thick at x = 112, a door at y = 49 with half-extent
14 px, and a red Gaussian dot of σ = 7 px. States are in these pixels whatever the picture's size;
x grows to the right, y downward.

``two-room`` tests the end of a step alone, as the original does, so a step may cut the corner of
the door; ``two-room-swept`` tests the whole way and slides along what it meets. They are two
worlds, because what an action does differs.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import erf, pi, sqrt
from types import MappingProxyType

import numpy as np

from envs.anywhere import Anywhere
from envs.base import Array, Column, Image, WorldSpec
from envs.behaviours import Behaviour
from envs.disturbance import Dial
from envs.errors import PoseError
from envs.hindsight import Hindsight
from envs.looks import check_look
from envs.tasks import Task
from envs.two_room_geometry import (
    BORDER_PX,
    DOOR_PX,
    DOT_SIGMA_PX,
    LINE_PX,
    SIDE_PX,
    STEP_PX,
    WALL_PX,
    is_free,
    move,
    sample_place,
)
from envs.two_room_scene import TwoRoomScene
from envs.two_room_walk import WALK

LOOKS = ("fast",)
STEP_S = 0.1  # there is no clock in the original: 10 Hz, so "held" looks at the last 4 steps
TOLERANCE_PX = 16.0
ANYWHERE_BUDGET_STEPS = 120


class TwoRoomWorld:
    """TwoRoom with the original collision test; see :class:`envs.base.World`.

    State (2,): x, y [px of 224]. It can be posed. Raises ``ProfileError`` for an
    unknown ``look`` or an absurd ``image_size``.
    """

    name = "two-room"
    swept = False
    behaviours: Mapping[str, Behaviour] = MappingProxyType({"walk": WALK})
    tasks: Mapping[str, Task] = MappingProxyType(
        {
            "anywhere": Anywhere(ANYWHERE_BUDGET_STEPS),
            "hindsight": Hindsight(25, 50, "walk"),
            "hindsight-t100-b150": Hindsight(100, 150, "walk", "hindsight-t100-b150"),
        }
    )

    def __init__(self, look: str = "fast", image_size: int = 64) -> None:
        check_look(look, image_size, LOOKS)
        low, high = BORDER_PX, SIDE_PX - BORDER_PX
        self.spec = WorldSpec(
            world=self.name,
            look=look,
            image_size=(image_size, image_size),
            action_dim=2,
            step_s=STEP_S,
            state=tuple(
                Column(axis, "px", low=low, high=high, tolerance=TOLERANCE_PX, point="place")
                for axis in ("x", "y")
            ),
        )
        self._edges_px = np.linspace(0.0, SIDE_PX, image_size + 1)
        self._empty = 255.0 * (1.0 - _walls(self._edges_px))
        self._place = np.full(2, SIDE_PX / 4)
        self._wind, self._pushed = np.zeros(2), np.zeros(2)

    def reset(self, rng: np.random.Generator, state: Array | None = None) -> None:
        """Begin at ``state`` (2,) [px], anywhere in both rooms if none is given.

        Raises:
            PoseError: for a place in a wall or outside.
        """
        self._place = sample_place(rng) if state is None else _checked(state)
        self._pushed = np.zeros(2)

    def step(self, action: Array) -> bool:
        """Move by ``action`` (2,) times 5 px, clipped to [-1, 1]; it never ends by itself."""
        given = np.asarray(action, np.float64)
        if given.shape != (2,) or not np.isfinite(given).all():
            raise ValueError(f"expected an action of two finite numbers, got {action!r}")
        self._place = move(self._place[None], given[None], self.swept)[0]
        self._blow()
        return False

    def frame(self) -> Image:
        """The rooms from above, uint8 (size, size, 3)."""
        return self._draw(self._place)

    def state(self) -> Array:
        """Where the dot is: x, y [px of 224]."""
        return self._place.copy()

    def sample_state(self, rng: np.random.Generator) -> Array:
        """A place (2,) uniform over the rooms and the door."""
        return sample_place(rng)

    def picture(self, state: Array) -> Image:
        """The rooms with the dot at ``state`` (2,)."""
        return self._draw(_checked(state))

    def scene(self) -> TwoRoomScene:
        """See :class:`envs.scene.Staged`."""
        return TwoRoomScene()

    dials: tuple[Dial, ...] = (
        Dial("wind-x", "wind to the right, px a step", -4.0, 4.0, 0.0, 0.5),
        Dial("wind-y", "wind downward, px a step", -4.0, 4.0, 0.0, 0.5),
    )

    def turn(self, name: str, value: float) -> None:
        """See :class:`envs.disturbance.Disturbable`."""
        self._wind[("wind-x", "wind-y").index(name)] = value

    def push(self, way: Array) -> None:
        """As far as a step, where ``way`` has length 1."""
        self._pushed = STEP_PX * way[:2] * (1.0, -1.0)

    def _blow(self) -> None:
        """Wind and pushes carry the dot as far as a step at most; walls stop it as ever."""
        carried, self._pushed = (self._wind + self._pushed) / STEP_PX, np.zeros(2)
        if carried.any():
            self._place = move(self._place[None], carried[None], self.swept)[0]

    def close(self) -> None:
        """There is nothing to give back."""

    def _draw(self, place: Array) -> Image:
        across, down = (_dot(self._edges_px, centre) for centre in place.tolist())
        dot = np.outer(down, across)
        pixels = np.empty((*self.spec.image_size, 3), np.uint8)
        behind = self._empty * (1.0 - dot) + 0.5
        pixels[..., 0] = behind + 255.0 * dot
        pixels[..., 1] = pixels[..., 2] = behind
        return pixels


class SweptTwoRoomWorld(TwoRoomWorld):
    """TwoRoom where the whole way of a step is tested, not its end alone."""

    name = "two-room-swept"
    swept = True


def _checked(state: Array) -> Array:
    place = np.array(state, np.float64)
    if place.shape != (2,) or not np.isfinite(place).all() or not is_free(place):
        raise PoseError(
            f"expected a place (x, y) in one of the rooms, {BORDER_PX:g} to "
            f"{SIDE_PX - BORDER_PX:g} px and outside the wall, got {state}"
        )
    return place


def _share(edges: Array, low: float, high: float) -> Array:
    """How much (n,) of each pixel between ``edges`` (n + 1,) lies within [low, high]."""
    inside = np.clip(edges, low, high)
    return np.diff(inside) / np.diff(edges)


def _walls(edges: Array) -> Array:
    """How much (n, n) of each pixel is wall or border line."""
    outer = _share(edges, BORDER_PX - LINE_PX, SIDE_PX - BORDER_PX + LINE_PX)
    inner = _share(edges, BORDER_PX, SIDE_PX - BORDER_PX)
    wall = _share(edges, *WALL_PX)
    closed = inner - _share(edges, *DOOR_PX)
    return np.outer(outer, outer) - np.outer(inner, inner) + np.outer(closed, wall)


def _dot(edges: Array, centre: float) -> Array:
    """The mean (n,) of exp(-d²/2σ²) over each pixel along one axis."""
    scale = 1.0 / (DOT_SIGMA_PX * sqrt(2.0))
    integral = np.array([erf((edge - centre) * scale) for edge in edges.tolist()])
    mean: Array = np.diff(integral) / (edges[1] - edges[0]) * (DOT_SIGMA_PX * sqrt(pi / 2.0))
    return mean
