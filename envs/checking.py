"""Does a world keep the promises of ``envs.base``? Asked once, when somebody's own is opened."""

from __future__ import annotations

from math import isfinite
from typing import Any

import numpy as np

from envs.base import Array, Column, Image, Posable, World, WorldSpec
from envs.errors import GLError, WorldError
from envs.user_code import require_call

_SAME = 1e-3  # of a number of the state, as single precision and a simulator's own rounding have it
_POSED = 6
WANTED = ("spec", "reset", "step", "frame", "state", "close")


def check_world(world: Any, name: str) -> World:
    """``world`` if it is one, begun anew; a machine that cannot draw is no fault of the world.

    It is not stepped, as a step may move a machine.

    Raises:
        WorldError: naming the promise that is broken.
    """
    _check_parts(world, name)
    require_call(world.reset, f"reset() of {name}", "rng", "state")
    world.reset(np.random.default_rng(0))
    _check_state(world, name)
    is_posable = isinstance(world, Posable)
    if is_posable:
        _check_pose(world, name)
        world.reset(np.random.default_rng(0))
    try:
        frame = world.frame()
    except GLError:
        return world  # type: ignore[no-any-return]
    _check_frame(world, frame, name)
    if is_posable:
        _check_pictures(world, name)
        world.reset(np.random.default_rng(0))
    return world  # type: ignore[no-any-return]


def checked_frame(world: World, tick: int) -> Image:
    """What ``world`` shows at ``tick``; WorldError if that is no frame of its spec."""
    frame, wanted = world.frame(), world.spec.frame_shape
    if not _fits(frame, wanted):
        raise WorldError(
            f"expected frames uint8 {wanted} of world {world.spec.world!r}, as its spec.image_size "
            f"has, got {_named(frame)} at tick {tick}"
        )
    return frame


def stepped(world: World, action: Array) -> bool:
    """One step of ``world``, and whether it ended the episode; WorldError if that is not told."""
    ended: Any = world.step(action)
    if ended is not None and not isinstance(ended, (bool, np.bool_)):
        got = f"a tuple of {len(ended)}" if isinstance(ended, tuple) else repr(ended)
        raise WorldError(
            f"expected step() of world {world.spec.world!r} to return True where it ended the "
            f"episode, else False, got {got}"
        )
    return bool(ended)


def checked_policy(policy: Any, name: str) -> Any:
    """What the behaviour ``name`` drew; WorldError if that is no function of (world, t)."""
    if not callable(policy):
        raise WorldError(
            f"expected behaviour {name!r} to draw a policy, a function of (world, t) that gives an "
            f"action, got {policy!r}"
        )
    require_call(policy, f"the policy of behaviour {name!r}", "world", "t")
    return policy


def checked_action(given: Any, width: int, name: str, tick: int) -> Any:
    """An action (``width``,) in [-1, 1]; WorldError naming its behaviour if it is none."""
    sent = np.asarray(given)
    if sent.dtype.kind not in "fiub" or sent.shape != (width,) or not (np.abs(sent) <= 1.0).all():
        raise WorldError(
            f"expected actions ({width},) in [-1, 1] of behaviour {name!r}, got {given!r} at tick "
            f"{tick}"
        )
    return sent


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
    if np.shares_memory(state, world.state()):
        raise _broken(name, "state()", "a fresh copy each time", "the same memory twice")


def _check_pose(world: Any, name: str) -> None:
    """A world that draws states must begin in them, or every start and goal is another."""
    rng, columns = np.random.default_rng(0), world.spec.state
    drawn = np.asarray(world.sample_state(rng))
    if drawn.dtype.kind not in "fiu" or drawn.shape != (len(columns),):
        raise _broken(name, "sample_state()", f"({len(columns)},) numbers", _named(drawn))
    world.reset(rng, drawn.copy())
    for column, asked, found in zip(columns, drawn, world.state(), strict=True):
        apart = abs(found - asked)
        if isfinite(column.period):
            apart = min(apart % column.period, -apart % column.period)
        if not apart <= _SAME * (1 + abs(asked)):
            raise _broken(
                name, f"reset(rng, state) with {column.name} = {asked:.4g}", "that state",
                f"{column.name} = {found:.4g} from state()",
            )  # fmt: skip


def _check_pictures(world: Any, name: str) -> None:
    """Pictures of states, as goals are drawn, are of the world, show the state and leave it be.

    What a world shows of a state may vary: most pictures are to be most like their own frame.
    """
    rng, own, pictures = np.random.default_rng(0), [], []
    for _ in range(_POSED):
        state = np.asarray(world.sample_state(rng))
        world.reset(rng, state.copy())
        own.append(np.asarray(world.frame(), np.float32))
        world.reset(rng)
        before = world.state()
        shown = world.picture(state.copy())
        if not _fits(shown, world.spec.frame_shape):
            raise _broken(name, "picture(state)", f"uint8 {world.spec.frame_shape}", _named(shown))
        if not np.allclose(before, world.state(), _SAME, _SAME):
            raise _broken(name, "picture(state)", "a picture alone, and the episode to be as it "
                          f"was in {before}", f"{world.state()} after it")  # fmt: skip
        pictures.append(shown.astype(np.float32))
    apart = np.array([[np.abs(p - frame).mean() for p in pictures] for frame in own])
    right = int((apart.diagonal() <= apart.min(1)).sum())
    if right < _POSED / 2:
        raise _broken(
            name, "picture(state)", "what frame() shows after reset(rng, state)",
            f"another picture: only {right} of {_POSED} are most like their own frame",
        )  # fmt: skip


def _check_frame(world: World, frame: Any, name: str) -> None:
    shape = world.spec.frame_shape
    if not _fits(frame, shape):
        raise _broken(name, "frame()", f"uint8 {shape}, as spec.image_size has", _named(frame))
    if np.shares_memory(frame, world.frame()):
        raise _broken(name, "frame()", "a fresh copy each time", "the same memory twice")


def _fits(frame: Any, shape: tuple[int, ...]) -> bool:
    return isinstance(frame, np.ndarray) and frame.shape == shape and frame.dtype == np.uint8


def _named(frame: Any) -> str:
    is_array = isinstance(frame, np.ndarray)
    return f"{frame.dtype} {frame.shape}" if is_array else type(frame).__name__


def _broken(name: str, part: str, expected: str, got: Any) -> WorldError:
    return WorldError(f"the spec of {name} lies: expected {part} to give {expected}, got {got}")
