"""Data sets of what was recorded elsewhere: a robot, a simulator, a film with a table."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from agent.data.collect import clean_up, commit_shard, require_ours
from agent.data.header import HEADER_NAME, RECORDED, DatasetHeader, require_learnable
from agent.data.manifest import SHARD_FOLDER, read_manifest
from agent.data.shards import Shard, encode_shard, join_rollouts
from agent.errors import UserError
from agent.files.durable import explained_disk_errors
from agent.files.lock import writing_lock
from agent.interfaces import Image
from agent.settings import MAX_SEED, require_whole
from envs import RollOut, SpecError, WorldSpec

_USUAL_PX, _MANY = 64, 10
_log = logging.getLogger(__name__)


class RolloutWriter:
    """Writes episodes of any length into a data set, checked and safe against interruption.

    ``out`` is a new directory, or one this class wrote for the same ``spec`` before. Where episodes
    lie in it already nothing is added without ``extend``: a script that runs twice would record
    everything twice, and hold out what it learns from.
    Every ``episodes_per_shard`` episodes one file is committed; closing it commits the rest. Use it
    as a context manager.

    Raises:
        UserError: if ``out`` holds something else or another world's recordings, another process
            is writing there, or frames have a side below 16 px, which no model learns from.
    """

    def __init__(
        self, out: Path | str, spec: WorldSpec, episodes_per_shard: int = 10, extend: bool = False
    ) -> None:
        require_learnable(spec)
        _say_if_large(spec.image_size)
        self._out, self._spec = Path(out), spec
        self._per_shard = require_whole(episodes_per_shard, "episodes_per_shard", 1, MAX_SEED)
        self._extend = extend
        self._frames: list[Image] = []
        self._rollouts: list[RollOut] = []
        self._is_closed = False
        with explained_disk_errors(self._out), ExitStack() as opened:
            self._begin(opened)
            self._open = opened.pop_all()

    def add(self, frames: ArrayLike, actions: ArrayLike, states: ArrayLike | None = None) -> None:
        """One episode of T env steps: ``actions[t]`` acts between ``frames[t]`` and the next.

        Args:
            frames: uint8 (T+1, h, w, 3), RGB.
            actions: (T, A) in [-1, 1].
            states: (T+1, S), needed where the spec has state columns.

        Raises:
            UserError: naming what does not fit; nothing of the episode is kept. Once it is closed.
        """
        if self._is_closed:
            raise UserError(
                f"expected a writer that is open, got one of {self._out} that is closed"
            )
        pixels, rollout = _checked(self._spec, frames, actions, states)
        self._frames.append(pixels)
        self._rollouts.append(rollout)
        if len(self._rollouts) >= self._per_shard:
            self._commit()

    def close(self) -> None:
        """Commit what is left and let others write there; may be repeated, as after a failure."""
        if not self._is_closed:
            self._commit()
            self._let_go()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *unused: object) -> None:
        try:
            self.close()
        finally:
            self._let_go()

    def _let_go(self) -> None:
        self._is_closed = True
        self._open.close()

    def _begin(self, opened: ExitStack) -> None:
        has_header = (self._out / HEADER_NAME).exists()
        if not has_header:
            require_ours(self._out)
        (self._out / SHARD_FOLDER).mkdir(parents=True, exist_ok=True)
        opened.enter_context(writing_lock(self._out))
        clean_up(self._out)
        if not has_header:
            DatasetHeader(self._spec, RECORDED, 0, 0, 0, self._per_shard).write(self._out)
        header = DatasetHeader.read(self._out)
        try:
            header.spec.require_same(self._spec, "the episodes to be written")
        except SpecError as error:
            raise UserError(f"{self._out}: {error}") from error
        if differs := header.difference(replace(header, spec=self._spec)):
            raise UserError(
                f"{self._out} was recorded with {differs}: use the same value, or record into a "
                "directory of its own"
            )
        if header.behaviour != RECORDED:
            raise UserError(f"{self._out} was made by collect: record into a directory of its own")
        there = sum(last - first for first, last in (r.episodes for r in read_manifest(self._out)))
        if there and not self._extend:
            raise UserError(
                f"expected no episodes in {self._out}, got {there}: to add to them say "
                "RolloutWriter(..., extend=True), to begin anew remove the directory"
            )

    def _commit(self) -> None:
        if not self._rollouts:
            return
        records = read_manifest(self._out)
        first = max((record.episodes[1] for record in records), default=0)
        index = max((record.index + 1 for record in records), default=0)
        pixels = np.concatenate(self._frames)
        shard = Shard(encode_shard(pixels, join_rollouts(self._rollouts)), len(pixels))
        with explained_disk_errors(self._out):
            commit_shard(self._out, index, (first, first + len(self._rollouts)), shard)
        self._frames, self._rollouts = [], []


def _say_if_large(image_size: tuple[int, int]) -> None:
    height, width = image_size
    times = height * width / _USUAL_PX**2
    if times > _MANY:
        _log.warning(
            "frames of %d x %d px have %.0f times the pixels of the %d x %d that all worlds here "
            "use, and learning takes about as many times as long: agent.resized makes them smaller",
            height, width, times, _USUAL_PX, _USUAL_PX,
        )  # fmt: skip


def _checked(
    spec: WorldSpec, frames: ArrayLike, actions: ArrayLike, states: ArrayLike | None
) -> tuple[Image, RollOut]:
    # copies: whoever records may fill the same arrays again
    try:
        pixels, sent = np.array(frames), _numbers(actions)
        told = None if states is None else _numbers(states)
    except (TypeError, ValueError, RuntimeError) as error:  # RuntimeError: of a torch tensor
        raise UserError(f"expected arrays of numbers, got others: {error}") from error
    steps = len(sent) if sent.ndim else 0
    _require(sent.shape == (steps, spec.action_dim) and steps > 0, "actions", sent,
             f"(T, {spec.action_dim}), T at least 1")  # fmt: skip
    shape = (steps + 1, *spec.frame_shape)
    _require(pixels.shape == shape and pixels.dtype == np.uint8, "frames", pixels,
             f"uint8 {shape}, one more than actions", _amiss(pixels, shape))  # fmt: skip
    known = np.empty((steps + 1, 0)) if told is None else told
    _require(known.shape == (steps + 1, len(spec.state)), "states", known,
             f"{(steps + 1, len(spec.state))}")  # fmt: skip
    if not (np.isfinite(known).all() and (np.abs(sent) <= 1.0).all()):
        raise UserError(
            f"expected finite states and actions in [-1, 1], got {_beyond(known, sent)}: scale "
            "what a robot was sent to that box, and leave out moments whose state is not known"
        )
    return pixels, RollOut(sent.astype(np.float32), known)


def _beyond(states: NDArray[np.float64], actions: NDArray[np.float64]) -> str:
    if not np.isfinite(states).all():
        return f"{states[~np.isfinite(states)][0]} in a state"
    return f"{actions[~(np.abs(actions) <= 1.0)][0]} in an action"


def _numbers(values: ArrayLike) -> NDArray[np.float64]:
    found = np.array(values)
    if np.iscomplexobj(found):
        raise TypeError("they are complex")
    return found.astype(np.float64)


def _require(
    fits: bool, what: str, got: np.ndarray[Any, Any], expected: str, amiss: str = ""
) -> None:
    if not fits:
        raise UserError(f"expected {what} {expected}, got {got.dtype} {got.shape}{amiss}")


def _amiss(pixels: np.ndarray[Any, Any], shape: tuple[int, ...]) -> str:
    """What is probably wrong with frames that should have that ``shape``."""
    frames, height, width, _ = shape
    if pixels.dtype != np.uint8:
        return ": give numbers from 0 to 255 as uint8"
    if pixels.ndim == 3:
        return ": grey frames are given as three equal colours, np.repeat(frames[..., None], 3, 3)"
    if pixels.ndim != 4:
        return ""
    if pixels.shape[1] == 3 != pixels.shape[3]:
        return ": colours come last, frames.transpose(0, 2, 3, 1)"
    if pixels.shape[1:3] == (width, height) != (height, width):
        return ": height comes before width"
    if pixels.shape[3] == 1:
        return ": grey frames are given as three equal colours, np.repeat(frames, 3, 3)"
    if pixels.shape[3] != 3:
        return ": leave out the other channels, frames[..., :3]"
    if pixels.shape[1] < height or pixels.shape[2] < width:
        return ": they are not enlarged, name a smaller image_size in the spec"
    if pixels.shape[1:] != shape[1:]:
        return ": agent.resized(frames, image_size) brings them to that size"
    return f": {pixels.shape[0]} frames for {frames - 1} actions, the last is what the last one did"
