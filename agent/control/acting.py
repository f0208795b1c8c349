"""A controller called with images, one of them or a batch: what a program of one's own drives."""

from __future__ import annotations

import operator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from agent.control.goal_picture import require_known_picture
from agent.control.model import Model
from agent.control.mpc import MPCConfig, WorldModelController
from agent.errors import ModelFaultError, UserError
from agent.interfaces import Array, FloatArray, Goals, Image, Seen
from agent.settings import require_seed
from envs import WorldSpec
from planners import Planner


def as_asked(
    config: MPCConfig, delay_ticks: int | None, tick_ms: float | None, guard: bool
) -> MPCConfig:
    """``config`` with what a program asks for besides; None leaves it as it is.

    Raises:
        UserError: for a number that makes no sense.
    """
    if not isinstance(guard, (bool, np.bool_)):
        raise UserError(f"expected guard=True or False, got {guard!r}")
    given: dict[str, Any] = {"guarded": config.guarded and bool(guard)}
    given |= {} if tick_ms is None else {"tick_ms": tick_ms}
    try:
        if delay_ticks is not None:
            given["delay_ticks"] = operator.index(delay_ticks)
        return replace(config, **given)
    except TypeError as error:
        raise UserError(
            "expected delay_ticks as a whole number and tick_ms as a number, got "
            f"{delay_ticks!r} and {tick_ms!r}"
        ) from error
    except ValueError as error:
        raise UserError(str(error)) from error


def planning(model: Model, planner: Planner, config: MPCConfig) -> WorldModelController:
    """A controller that plans; UserError for numbers that make no sense of this ``model``."""
    try:
        return WorldModelController(model, planner, config)
    except ValueError as error:
        raise UserError(str(error)) from error


class Acting:
    """A model, a controller that acts by it, and what both remember of the episode under way.

    One image or a batch of E of them, the same calls: an array with one axis more has one result
    more.
    """

    def __init__(self, model: Model, controller: WorldModelController, seed: int = 0) -> None:
        self._seen_by, self._controller = model, controller
        self._seed = require_seed(seed)
        self._goal: Image | None = None
        self._held: tuple[str | None, ...] = ()
        self._late = False

    @property
    def spec(self) -> WorldSpec:
        """The world whose frames it reads and whose actions it gives."""
        return self._seen_by.spec

    def reset(self, seed: int | None = None) -> None:
        """Forget the episode; the next :meth:`act` begins another.

        Raises:
            UserError: for a seed that is no whole number from 0 on.
        """
        if seed is not None:
            self._seed = require_seed(seed)
        self._goal, self._held, self._late = None, (), False

    def act(self, image: ArrayLike, goal_image: ArrayLike) -> Array:
        """What to do in the coming tick, (A,) in [-1, 1]: call it once a tick, every tick.

        Another goal than before is pursued from where the episode is; what was seen is not
        forgotten. While the pictures cannot be acted on the action is zero, and :attr:`held` says
        why.

        Args:
            image: what the camera sees now, uint8 (h, w, 3), or (E, h, w, 3) of E at once.
            goal_image: what it should see, of the same shape; one image may stand for all.

        Raises:
            UserError: for images of another size than the model was trained on, another number of
                goals than of images, or a goal that is no picture of its world.
            ModelFaultError: if the model gave numbers that are not finite.
        """
        now, goal, shape = self._pairs(image, goal_image)
        self._pursue(goal)
        decision = self._controller.act(Seen(pixels=now))
        self._held, self._late = decision.held, decision.late
        if decision.fault is not None:
            raise ModelFaultError(decision.fault)
        return decision.actions.reshape(*shape, -1)

    def _pursue(self, goal: Image) -> None:
        if self._goal is not None and np.array_equal(self._goal, goal):
            return
        for picture in goal if self._controller.config.guarded else ():
            require_known_picture(picture, self._seen_by)
        if self._goal is None or len(self._goal) != len(goal):
            self._controller.reset(Goals(pixels=goal), [self._seed + i for i in range(len(goal))])
        else:
            self._controller.aim(Goals(pixels=goal))
        self._goal = goal.copy()  # the caller may draw the next one into the same array

    @property
    def held(self) -> tuple[str | None, ...]:
        """Why the last action was zero in each of the E episodes; None where nothing is wrong."""
        return self._held

    @property
    def late(self) -> bool:
        """Whether the last decision took longer than ``tick_ms``; the first of a program does more
        often than others, as what it needs is made then."""
        return self._late

    @property
    def plan(self) -> Array:
        """The actions (E, ticks, A) it intends from the next tick on; none of the action head.

        Raises:
            UserError: before the first :meth:`act`.
        """
        if self._goal is None:
            raise UserError("expected act() before plan: there is no episode under way")
        return self._controller.plan

    def encode(self, image: ArrayLike) -> FloatArray:
        """The embedding (D,) of an image, or (E, D) of E of them."""
        embeddings = self._seen_by.encode(self._batch(image))
        return embeddings if np.ndim(image) == 4 else embeddings[0]

    def _pairs(
        self, image: ArrayLike, goal_image: ArrayLike
    ) -> tuple[Image, Image, tuple[int, ...]]:
        """As many images as goals, uint8 (E, h, w, 3) each, one of either standing for all; and
        the shape of E results, () of a single one."""
        now, goal = self._batch(image), self._batch(goal_image)
        alone = np.ndim(image) == 3, np.ndim(goal_image) == 3
        if alone[0] != alone[1]:
            shape = (max(len(now), len(goal)), *self.spec.frame_shape)
            now, goal = np.broadcast_to(now, shape), np.broadcast_to(goal, shape)
        if len(now) != len(goal):
            raise UserError(
                f"expected a goal for each image, got images {np.shape(image)} and goals "
                f"{np.shape(goal_image)}"
            )
        return now, goal, () if all(alone) else (len(now),)

    def _batch(self, image: ArrayLike) -> Image:
        """One image or several as uint8 (E, h, w, 3), checked."""
        try:
            frames = np.asarray(image)
        except ValueError as error:  # of several sizes
            raise UserError(f"expected images of one size, got others: {error}") from error
        shape = self.spec.frame_shape
        fits = frames.shape[-3:] == shape and frames.ndim in (3, 4) and frames.size
        if not fits or frames.dtype != np.uint8:
            raise UserError(
                f"expected an image uint8 {shape}, or a batch of them, got {frames.dtype} "
                f"{frames.shape}{_how_to_fit(frames, shape)}"
            )
        return frames.reshape(-1, *shape)


def _how_to_fit(frames: Any, shape: tuple[int, ...]) -> str:
    """What to do with what a camera gives."""
    if frames.dtype != np.uint8:
        return ": give numbers from 0 to 255 as uint8"
    if frames.ndim < 2:
        return ""
    if frames.ndim == 4 and not len(frames):
        return ": it is a batch of none"
    if frames.ndim in (3, 4) and frames.shape[-3] == 3:
        return ": put the colours last, np.moveaxis(image, -3, -1)"
    if frames.shape[-1] == 4:
        return ": leave out the fourth channel, image[..., :3]"
    if frames.ndim == 2 or frames.shape[-1] == 1:
        return ": it is grey, as no picture of this world is"
    if frames.shape[-3] < shape[0] or frames.shape[-2] < shape[1]:
        return ": the camera must show at least as many pixels"
    if frames.ndim in (3, 4) and frames.shape[-1] == 3:
        return f": agent.resized(image, {shape[:2]}) brings it to that size"
    return ""
