"""Does a world keep the promises of ``envs.base``? Asked once, when somebody's own is opened."""

from __future__ import annotations

from typing import Any

import numpy as np

from envs.base import Array, Column, World, WorldSpec
from envs.errors import GLError, WorldError

WANTED = ("spec", "reset", "step", "frame", "state", "close")


def check_world(world: Any, name: str) -> World:
    """``world`` if it is one, begun anew; a machine that cannot draw is no fault of the world.

    It is not stepped, as a step may move a machine.

    Raises:
        WorldError: naming the promise that is broken.
    """
    _check_parts(world, name)
    world.reset(np.random.default_rng(0))
    _check_state(world, name)
    try:
        frame = world.frame()
    except GLError:
        return world  # type: ignore[no-any-return]
    _check_frame(world, frame, name)
    return world  # type: ignore[no-any-return]


def require_finite(spec: WorldSpec, states: Array, tick: int | None = None) -> None:
    """Refuse states (N, S) that are no numbers: of N ticks from 0 on, or all of ``tick``.

    Raises:
        WorldError: naming the world, the tick and the column.
    """
    if np.isfinite(states).all():
        return
    row, column = np.argwhere(~np.isfinite(states))[0]
    when = row if tick is None else tick
    raise WorldError(
        f"expected finite numbers as the state of world {spec.world!r}, got "
        f"{spec.state_names[column]} = {states[row, column]} at tick {when}"
    )


def _check_parts(world: Any, name: str) -> None:
    missing = [part for part in WANTED if not hasattr(world, part)]
    if missing:
        raise WorldError(f"{name} is no world: it lacks {', '.join(missing)}; see envs.base.World")
    if not isinstance(world.spec, WorldSpec):
        raise _broken(name, "spec", "an envs.WorldSpec", type(world.spec).__name__)
    odd = [column for column in world.spec.state if not isinstance(column, Column)]
    if odd:
        raise _broken(name, "spec.state", "a tuple of envs.Column", repr(odd[0]))


def _check_state(world: World, name: str) -> None:
    state, count = world.state(), len(world.spec.state)
    if not isinstance(state, np.ndarray) or state.shape != (count,):
        found = getattr(state, "shape", type(state).__name__)
        raise _broken(name, "state()", f"an array ({count},), as spec.state has", found)
    if not np.isfinite(np.asarray(state, np.float64)).all():
        raise _broken(name, "state()", "finite numbers", state)


def _check_frame(world: World, frame: Any, name: str) -> None:
    shape = world.spec.frame_shape
    if not isinstance(frame, np.ndarray) or frame.shape != shape or frame.dtype != np.uint8:
        found = (
            f"{frame.dtype} {frame.shape}"
            if isinstance(frame, np.ndarray)
            else type(frame).__name__
        )
        raise _broken(name, "frame()", f"uint8 {shape}, as spec.image_size has", found)
    if np.shares_memory(frame, world.frame()):
        raise _broken(name, "frame()", "a fresh copy each time", "the same memory twice")


def _broken(name: str, part: str, expected: str, got: Any) -> WorldError:
    return WorldError(f"the spec of {name} lies: expected {part} to give {expected}, got {got}")
