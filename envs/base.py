"""What a world is: the one contract that the rest of the program knows worlds by.

A world shows frames, takes actions in the box [-1, 1] and passes a fixed time between two of them.
It may know its true state, and it may have more abilities (be posed, tell what it passed through
within a step), which are declared as protocols of their own and asked for with ``isinstance``.
Shapes: frames uint8 (h, w, 3), actions (A,), states (S,) with S = 0 where nothing but pictures is
known.

``reset`` takes a generator and not a seed, so that what happens in an episode follows from one
stream: first the world draws its start, then a behaviour draws the actions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from math import inf, isfinite
from pathlib import PurePath
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from envs.errors import SpecError

Array = NDArray[np.float64]
FloatArray = NDArray[np.float32]
Image = NDArray[np.uint8]

RECORDING = "recorded:"  # begins the name of what was recorded elsewhere
MAX_IMAGE_SIDE_PX = 1024
MAX_STATE = 1e6  # beyond it angles lose their digits, and simulations break down


@dataclass(frozen=True)
class Column:
    """One number of the true state: for goals, verdicts and probes, never for training.

    ``period`` is finite where the number comes round, as an angle does. With a ``tolerance`` the
    number is part of a goal: it counts as reached when it is nearer than that. Numbers that share a
    ``point`` are one: their error is the length of the offset, and all have one tolerance.
    """

    name: str
    unit: str = ""
    period: float = inf
    low: float = -inf
    high: float = inf
    tolerance: float | None = None
    point: str = ""

    def __post_init__(self) -> None:
        numbers = (self.period, self.low, self.high, self.tolerance or 0.0)
        if not isinstance(self.name, str) or not all(map(_is_number, numbers)):
            raise SpecError(
                "expected a column with a text as name and numbers for period, low, high and "
                f"tolerance, got {self.name!r}, {numbers}"
            )
        if not self.name or not self.period > 0 or not self.low < self.high:
            raise SpecError(
                "expected a column with a name, a period above 0 and low < high, got "
                f"{self.name!r}, {self.period}, {self.low} and {self.high}"
            )
        for name in ("period", "low", "high", "tolerance"):
            object.__setattr__(self, name, _plain(getattr(self, name)))
        if self.tolerance is not None and not 0 < self.tolerance < inf:
            raise SpecError(
                f"expected a finite tolerance above 0 of {self.name}, got {self.tolerance}"
            )


@dataclass(frozen=True)
class WorldSpec:
    """What frames and actions mean: part of every data set and of every checkpoint.

    ``world`` is a name the catalogue knows, or "recorded:NAME" where no world stands behind a
    recording; ``look`` says how frames are drawn; ``image_size`` is height and width [px];
    ``action_dim`` A numbers in [-1, 1]; ``step_s`` [s] between two actions, the control tick.
    """

    world: str
    look: str
    image_size: tuple[int, int]
    action_dim: int
    step_s: float
    state: tuple[Column, ...] = ()

    def __post_init__(self) -> None:
        if not (isinstance(self.world, str) and isinstance(self.look, str)):
            raise SpecError(f"expected texts as world and look, got {self.world!r}, {self.look!r}")
        if isinstance(self.state, Column) or not all(isinstance(c, Column) for c in self.state):
            raise SpecError(f"expected a state of Columns, (column,) of one, got {self.state!r}")
        size = self.image_size
        pair = isinstance(size, Sequence) and len(size) == 2 and all(map(_is_whole, size))
        if not pair or not all(1 <= side <= MAX_IMAGE_SIDE_PX for side in size):
            raise SpecError(
                f"expected image_size (height, width) from 1 to {MAX_IMAGE_SIDE_PX} px, got {size}"
            )
        if not _is_whole(self.action_dim) or self.action_dim < 1:
            raise SpecError(f"expected action_dim of at least 1, got {self.action_dim!r}")
        if not (_is_number(self.step_s) and isfinite(self.step_s) and self.step_s > 0):
            raise SpecError(f"expected step_s above 0 seconds, got {self.step_s!r}")
        plain = {"action_dim": _plain(self.action_dim), "step_s": _plain(self.step_s)}
        vars(self).update(plain, image_size=tuple(map(int, size)), state=tuple(self.state))
        if len(set(self.state_names)) < len(self.state):
            raise SpecError(f"expected state columns of different names, got {self.state_names}")
        for point in {column.point for column in self.state if column.point}:
            kinds = {f"{c.tolerance} {c.unit}" for c in self.state if c.point == point}
            if len(kinds) > 1:
                raise SpecError(
                    f"expected one tolerance and unit of columns that share the point {point!r}, "
                    f"got {', '.join(sorted(kinds))}"
                )

    @property
    def state_names(self) -> tuple[str, ...]:
        """Names of the state's columns, in order."""
        return tuple(column.name for column in self.state)

    @property
    def goal_columns(self) -> tuple[int, ...]:
        """Which numbers of the state a goal is about: those with a tolerance."""
        return tuple(i for i, column in enumerate(self.state) if column.tolerance is not None)

    @property
    def is_recording(self) -> bool:
        """Whether no world stands behind the recordings."""
        return self.world.startswith(RECORDING)

    @property
    def frame_shape(self) -> tuple[int, int, int]:
        """Height, width, 3."""
        return (*self.image_size, 3)

    def is_of_the_world_of(self, other: WorldSpec) -> bool:
        """Whether both name one world, in a file that may have been moved."""
        return bool(_without_folder(self.world) == _without_folder(other.world))

    def require_same(self, other: WorldSpec, whose: str) -> None:
        """Refuse ``other``, the spec of ``whose``, unless it means the same; names what differs.

        State columns only matter where both have them: a recording without states may be learned
        from for a world with them. Where one of the two is a recording behind which no world
        stands, names and looks say nothing: what was learned from it may steer the real thing. A
        world in a file is known by the file's name, wherever it lies.

        Raises:
            SpecError: naming the first field that differs, both values and what to do.
        """
        names = ("world", "look") if self.is_recording == other.is_recording else ()
        for name in (*names, "image_size", "action_dim", "step_s"):
            mine, theirs = getattr(self, name), getattr(other, name)
            if _without_folder(mine) != _without_folder(theirs):
                raise SpecError(
                    f"expected {name} = {_said(mine)}, got {_said(theirs)} from {whose}: "
                    f"{_ADVICE[name]}"
                )
        if self.state and other.state and self.state_names != other.state_names:
            raise SpecError(
                f"expected the state {', '.join(self.state_names)}, got "
                f"{', '.join(other.state_names)} from {whose}: both must be made by one version "
                "of the world"
            )

    def to_json(self) -> dict[str, Any]:
        """Plain values; what is infinite is left out."""
        columns = [
            {k: v for k, v in asdict(c).items() if v is not None and v not in (inf, -inf)}
            for c in self.state
        ]
        return {**asdict(self), "image_size": list(self.image_size), "state": columns}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> WorldSpec:
        """What :meth:`to_json` gave.

        Raises:
            SpecError: if something is missing, unknown or of the wrong kind.
        """
        try:
            unknown = set(values) - {field.name for field in fields(cls)}
            if unknown:
                raise SpecError(f"unknown fields of a world: {', '.join(sorted(unknown))}")
            return cls(
                world=str(values["world"]),
                look=str(values["look"]),
                image_size=tuple(values["image_size"]),
                action_dim=values["action_dim"],
                step_s=float(values["step_s"]),
                state=tuple(Column(**column) for column in values["state"]),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise SpecError(f"expected the facts of a world, got {values!r} ({error!r})") from error


_ADVICE = {
    "world": "name the world it was made for with --world, or take another checkpoint or data set",
    "look": "draw both alike with --look, or train on frames of this look",
    "image_size": "collect or draw frames of the same size (--image-size)",
    "action_dim": "both must be made for the same body",
    "step_s": "both must have the same time between two actions",
}


def _plain(value: Any) -> Any:
    """A number of numpy's as Python's own, which files can hold."""
    return value.item() if isinstance(value, np.generic) else value


def _is_whole(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return _is_whole(value) or isinstance(value, float | np.floating)


def _without_folder(value: Any) -> Any:
    """``value``, of a world that is code only the file's name and what is in it."""
    place, code, rest = str(value).rpartition(".py:")
    return f"{PurePath(place).name}{code}{rest}" if code else value


def _said(value: Any) -> str:
    return "x".join(map(str, value)) if isinstance(value, tuple) else repr(value)


@runtime_checkable
class World(Protocol):
    """One body in one place with one camera. Used on the thread that made it."""

    @property
    def spec(self) -> WorldSpec:
        """What its frames, actions and states mean; never changes."""

    def reset(self, rng: np.random.Generator, state: Array | None = None) -> None:
        """Begin an episode; what is random in its start is drawn from ``rng``.

        A ``state`` (S,) to begin in is only for worlds that are :class:`Posable`.

        Raises:
            PoseError: for a state it cannot take, or any if it cannot be posed.
        """

    def step(self, action: Array) -> bool:
        """Apply an action (A,) for ``spec.step_s``; True when the episode ended by itself."""

    def frame(self) -> Image:
        """What the camera sees now, a fresh uint8 (h, w, 3), RGB."""

    def state(self) -> Array:
        """The true state (S,), a copy; S may be 0."""

    def close(self) -> None:
        """Give everything back; may be repeated."""


@runtime_checkable
class Posable(Protocol):
    """A world whose states can be set: ``reset`` takes one, and any of them can be drawn."""

    def sample_state(self, rng: np.random.Generator) -> Array:
        """A state (S,) at rest, anywhere it may be: a start or a goal."""

    def picture(self, state: Array) -> Image:
        """What the camera would see in ``state`` (S,); the episode under way is untouched.

        Raises:
            PoseError: for a state it cannot take.
        """


@runtime_checkable
class Traced(Protocol):
    """A world that remembers what it passed through within its last step."""

    def trace(self) -> Array:
        """States (R, S), R >= 1, in time order; the last one is the present one."""


@runtime_checkable
class Drawn(Protocol):
    """A world that knows what draws it: with anything else, its pictures may be others."""

    def drawn_with(self) -> Mapping[str, str]:
        """Names, of distributions or parts of the system, and their versions."""


@runtime_checkable
class Stretched(Protocol):
    """A world whose frames are made of pictures of another shape, by area averaging."""

    def camera_size(self) -> tuple[int, int]:
        """Height and width [px] of those pictures."""


def passed_through(world: World) -> Array:
    """States (R, S) of the last step: the world's trace, or its present state alone."""
    return world.trace() if isinstance(world, Traced) else world.state()[None]
