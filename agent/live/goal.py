"""The goal, and the ways to set it: dragged, by numbers, at random, as it is now, by a picture."""

from __future__ import annotations

import io
from collections.abc import Mapping
from math import ceil, floor, isfinite, log10
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from agent.control.goal_picture import require_known_picture
from agent.control.torch_model import TorchModel
from agent.errors import UserError
from agent.interfaces import Array, Image
from agent.live.controls import Button, Choice, Controlled, Value
from agent.live.gallery import Gallery
from envs import Column, Dial, Posable, Scene, World, load_goal_image

TURN = "goal-"
OWN, MAX_FILE_MB, MAX_SIDE_PX = "–", 10, 2048
_EXACT = 1e-9  # what is round in decimals is not in binary


class Goal(Controlled):
    """Where to go: ``frame`` uint8 (h, w, 3), and ``state`` (S,), None where a picture is all.

    ``version`` grows with every change.
    """

    def __init__(
        self, world: World, scene: Scene | None, model: TorchModel, gallery: Gallery,
        rng: np.random.Generator,
    ) -> None:  # fmt: skip
        self._world, self._scene, self._model, self._gallery = world, scene, model, gallery
        self._rng, self._picked, self.version = rng, OWN, 0
        self.state: Array | None = world.state() if world.spec.goal_columns else None
        self.frame: Image = world.frame()
        self._dials = _dials(world) if isinstance(world, Posable) else {}
        self.controls = (
            *self._dials.values(),
            Choice("gallery", "goal from the gallery", (OWN, *gallery.names)),
            *([Button("random-goal", "random goal")] if isinstance(world, Posable) else []),
            Button("remember", "remember this pose as the goal"),
        )

    @property
    def values(self) -> Mapping[str, Value]:
        """See :class:`agent.live.controls.Controlled`."""
        posed = {} if self.state is None else {
            dial.name: float(np.clip(_wrapped(self.state[i], column), dial.low, dial.high))
            for i, column in enumerate(self._world.spec.state)
            if (dial := self._dials.get(TURN + column.name)) is not None
        }  # fmt: skip
        return {**posed, "gallery": self._picked}

    def set(self, name: str, value: Value) -> None:
        """See :class:`agent.live.controls.Controlled`."""
        if name == "gallery":
            self._pick(str(value))
            return
        names = self._world.spec.state_names
        state = self._world.state() if self.state is None else self.state.copy()
        state[names.index(name.removeprefix(TURN))] = float(value)
        self.pose(state)

    def press(self, name: str) -> None:
        """See :class:`agent.live.controls.Controlled`."""
        if name == "remember":
            known = self._world.state() if self._world.spec.state else None
            self._take(self._world.frame(), known)
            return
        assert isinstance(self._world, Posable)
        self.pose(self._world.sample_state(self._rng))

    def pose(self, state: Array) -> None:
        """The state (S,) as the goal; PoseError where the world cannot be in it."""
        if not isinstance(self._world, Posable):
            raise UserError(f"{self._world.spec.world} cannot be posed: give a picture as the goal")
        self._take(self._world.picture(state), state)

    def drag(self, grip: int, to: Array) -> None:
        """Bring a grip to a point (3,); PoseError where it cannot be."""
        if self._scene is None or not 0 <= grip < len(self._scene.grips):
            raise UserError("expected a grip of the goal, got one that is not there")
        near = self._world.state() if self.state is None else self.state
        self.pose(self._scene.drag(grip, to, near))

    def drop(self, name: str, content: bytes) -> None:
        """A picture in a file as the goal, refused as ``--goal-image`` refuses it.

        Raises:
            UserError, GoalImageError: saying what is wrong.
        """
        _require_small(name, content)
        with TemporaryDirectory(prefix="live-") as place:
            path = Path(place) / f"dropped{Path(name).suffix}"
            path.write_bytes(content)
            try:
                frame = load_goal_image(path, self._world)
            except ValueError as error:
                raise UserError(str(error).replace(str(path), name)) from error
        require_known_picture(frame, self._model)
        self._take(frame, None)

    def _pick(self, name: str) -> None:
        if name != OWN:
            self._take(*self._gallery.named(name))
            self._picked = name

    def _take(self, frame: Image, state: Array | None) -> None:
        self.frame, self.state, self._picked = frame, state, OWN
        self.version += 1


def _require_small(name: str, content: bytes) -> None:
    """Refuse what would take much memory before it is opened."""
    from PIL import Image as Pillow

    if len(content) > MAX_FILE_MB * 10**6:
        raise UserError(f"expected a picture of at most {MAX_FILE_MB} MB, got {name}, larger")
    try:
        with Pillow.open(io.BytesIO(content)) as picture:
            side = max(picture.size)
    except Exception as error:  # whatever a damaged file brings about
        raise UserError(f"expected {name} to be a PNG, JPEG or WebP, got: {error}") from error
    if side > MAX_SIDE_PX:
        raise UserError(f"expected {name} with sides of at most {MAX_SIDE_PX} px, got {side}")


def _dials(world: World) -> dict[str, Dial]:
    """A dial for each number of a goal that has an end or comes round."""
    columns = [world.spec.state[i] for i in world.spec.goal_columns]
    found = [Dial(TURN + c.name, f"goal: {c.name} [{c.unit}]", *_range(c)) for c in columns]
    return {dial.name: dial for dial in found if isfinite(dial.low) and isfinite(dial.high)}


def _range(column: Column) -> tuple[float, float, float, float]:
    """From where to where a number may be set, in round numbers, the usual one, and the step."""
    half, parts = column.period / 2, 100.0
    low, high = max(column.low, -half), min(column.high, half)
    if isfinite(low) and isfinite(high):
        parts = 10.0 ** max(2, 2 - floor(log10(high - low)))
        low, high = ceil(parts * low - _EXACT) / parts, floor(parts * high + _EXACT) / parts
    return low, high, min(max(0.0, low), high), 1 / parts


def _wrapped(value: float, column: Column) -> float:
    if not np.isfinite(column.period):
        return float(value)
    half = column.period / 2
    return float((value + half) % column.period - half)
