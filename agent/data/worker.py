"""The process that makes shards: move, draw, compress, hand over the bytes.

A worker never touches the disk. It receives ``ShardTask``s over a pipe and answers each with the
rows and bytes of the finished file, or with no rows and the exception that stopped it. When the
parent dies, however it dies, the pipe ends and so does the worker.
"""

from __future__ import annotations

import os
import signal
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from agent.data.shards import Shard, encode_shard, join_rollouts
from agent.data.streams import episode_rng
from agent.interfaces import Image
from envs import (
    Behaviour,
    RollOut,
    World,
    WorldError,
    behaviour_named,
    load_user_module,
    make_world,
    roll_out,
)

# Ctrl-C, and a terminal that is closed or lost, where the system has such a thing.
INTERRUPTS = [n for n in signal.Signals if n.name in ("SIGINT", "SIGHUP")]


@dataclass(frozen=True)
class ShardTask:
    """Make shard number ``index`` of the episodes ``first`` … ``end`` − 1."""

    index: int
    first: int
    end: int


def named_behaviour(name: str, world: World) -> Behaviour:
    """The behaviour of that name that the program or the world offers, or a user's FILE.py:NAME.

    A user's is a ``Behaviour`` or a function of (rng, ticks, action_dim) that draws a policy.

    Raises:
        WorldError: if there is none, or the user's file fails, with their own line.
    """
    file, _, part = name.rpartition(":")
    if not file.endswith(".py"):
        return behaviour_named(name, world)
    if not Path(file).is_file():
        raise WorldError(f"expected a Python file at {file}, got none")
    found = getattr(load_user_module(Path(file)), part, None)
    if isinstance(found, Behaviour):
        return found
    if not callable(found):
        raise WorldError(
            f"expected a behaviour {part!r} in {file}, got {found!r}: give it a Behaviour, or a "
            "function of (rng, ticks, action_dim) that draws a policy"
        )
    return Behaviour(name, found)


@dataclass(frozen=True)
class WorkerSettings:
    """What all shards of a data set have in common."""

    world: str
    look: str
    image_size: int | None
    behaviour: str
    find_behaviour: Callable[[str, World], Behaviour]
    seed: int
    episode_steps: int


def ignore_interrupts() -> None:
    """What reaches the whole group of processes is answered by the one that started this one."""
    for number in INTERRUPTS:
        signal.signal(number, signal.SIG_IGN)


def serve(pipe: Connection, settings: WorkerSettings) -> None:
    """Answer tasks until the other end of the pipe closes. Runs in its own process."""
    ignore_interrupts()
    _use_one_thread()
    try:
        with pipe:
            _answer_all(pipe, settings)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        pass  # the parent is done or gone, and so are we: nobody is left to tell


def _answer_all(pipe: Connection, settings: WorkerSettings) -> None:
    try:
        world = make_world(settings.world, settings.look, settings.image_size)
        behaviour = settings.find_behaviour(settings.behaviour, world)
        while True:
            shard = make_shard(pipe.recv(), settings, world, behaviour)
            pipe.send(shard.rows)
            pipe.send_bytes(shard.content)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        raise
    except Exception as error:
        error.add_note(traceback.format_exc())
        pipe.send(0)  # no shard is empty: an exception follows
        pipe.send(error)


def make_shard(
    task: ShardTask, settings: WorkerSettings, world: World, behaviour: Behaviour
) -> Shard:
    """The file content of one shard: a pure function of task and settings."""
    frames: list[Image] = []
    rollouts = [
        _record(settings, episode, world, behaviour, frames)
        for episode in range(task.first, task.end)
    ]
    return Shard(encode_shard(np.stack(frames), join_rollouts(rollouts)), len(frames))


def _record(
    settings: WorkerSettings, episode: int, world: World, behaviour: Behaviour, frames: list[Image]
) -> RollOut:
    rng = episode_rng(settings.seed, episode)
    steps = settings.episode_steps
    return roll_out(world, behaviour, rng, steps, each_state=lambda t: frames.append(world.frame()))


def _use_one_thread() -> None:
    # One worker is one busy core. Mesa's software OpenGL reads its number when a context is made;
    # by default it starts as many threads as there are cores, in every worker.
    os.environ.setdefault("LP_NUM_THREADS", "1")
    import cv2

    cv2.setNumThreads(1)
