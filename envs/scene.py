"""A world as solids in space, for people to look at and to take hold of.

A controller never sees it. Lengths are the world's own; z points to whoever looks from above.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from envs.base import Array
from envs.errors import PoseError

Shape = Literal["box", "sphere", "capsule", "cylinder", "ellipsoid", "mesh"]
UPRIGHT = (1.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Part:
    """One solid, in a frame of its own.

    ``size`` as MuJoCo has it: half the sides of a box, the radii of an ellipsoid, the radius and
    half the length (along z) of a capsule or cylinder, the radius of a sphere. A mesh has
    ``vertices`` (V, 3) and ``faces`` (F, 3) instead. A ``fixed`` part never moves.
    """

    name: str
    shape: Shape
    size: tuple[float, ...]
    rgb: tuple[int, int, int]
    fixed: bool = False
    vertices: Array = field(default_factory=lambda: np.empty((0, 3)))
    faces: NDArray[np.int32] = field(default_factory=lambda: np.empty((0, 3), np.int32))


@dataclass(frozen=True)
class Placed:
    """Where P parts are: ``positions`` (P, 3), and ``turns`` (P, 4) as quaternions w, x, y, z."""

    positions: Array
    turns: Array


@dataclass(frozen=True)
class View:
    """Whence to look: from ``eye`` at ``target``, both (3,); ``up`` (3,) is up on the screen."""

    eye: tuple[float, float, float]
    target: tuple[float, float, float]
    up: tuple[float, float, float]


class Scene(Protocol):
    """The solids of a world, and the points at which its state can be dragged.

    ``grips`` names G such points. ``view`` shows all of it.
    """

    parts: tuple[Part, ...]
    grips: tuple[str, ...]
    view: View

    def place(self, state: Array) -> Placed:
        """Where the parts are in a state (S,)."""

    def points(self, state: Array) -> Array:
        """Where the grips are in a state (S,): (G, 3)."""

    def drag(self, grip: int, to: Array, state: Array) -> Array:
        """The state (S,) at rest, near ``state``, in which that grip is at ``to`` (3,), or as near
        to it as the body can come.

        Raises:
            PoseError: for a point it cannot be brought to, or that is no three finite numbers.
        """


def checked_point(to: Array) -> Array:
    """``to``, if it is a point of three finite numbers; PoseError otherwise."""
    point = np.asarray(to, np.float64)
    if point.shape != (3,) or not np.isfinite(point).all():
        raise PoseError(f"expected a point of three finite numbers, got {to!r}")
    return point


@runtime_checkable
class Staged(Protocol):
    """A world that can be shown as solids."""

    def scene(self) -> Scene:
        """Its solids; the episode under way is untouched by them."""
