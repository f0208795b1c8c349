"""The process that makes shards: simulate, render, compress, hand over the bytes.

A worker never touches the disk. It receives ``ShardTask``s over a pipe and answers each with the
bytes of the finished file, or with the exception that stopped it. When the parent dies, however it
dies, the pipe ends and so does the worker.
"""

from __future__ import annotations

import os
import signal
import traceback
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

import numpy as np

from agent.data.behaviours import RollOut, behaviour_named, episode_rng, roll_out
from agent.data.shards import encode_shard, join_rollouts

if TYPE_CHECKING:
    from agent.interfaces import Image
    from envs import ReacherSimulator, Renderer


@dataclass(frozen=True)
class ShardTask:
    """Make shard number ``index`` of the episodes ``first`` … ``end`` − 1."""

    index: int
    first: int
    end: int


@dataclass(frozen=True)
class WorkerSettings:
    """What all shards of a data set have in common."""

    behaviour: str
    seed: int
    episode_steps: int
    render_profile: str
    image_size: int


def serve(pipe: Connection, settings: WorkerSettings) -> None:
    """Answer tasks until the other end of the pipe closes. Runs in its own process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent acts
    _use_one_thread()
    try:
        with pipe:
            _answer_all(pipe, settings)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        pass  # the parent is done or gone, and so are we: nobody is left to tell


def _answer_all(pipe: Connection, settings: WorkerSettings) -> None:
    try:
        from envs import ReacherSimulator, Renderer

        simulator = ReacherSimulator()
        with Renderer(simulator, settings.render_profile, settings.image_size) as renderer:
            while True:
                pipe.send_bytes(make_shard(pipe.recv(), settings, simulator, renderer))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        raise
    except Exception as error:
        error.add_note(traceback.format_exc())
        pipe.send_bytes(b"")  # no shard is empty: an exception follows
        pipe.send(error)


def make_shard(
    task: ShardTask, settings: WorkerSettings, simulator: ReacherSimulator, renderer: Renderer
) -> bytes:
    """The file content of one shard: a pure function of task and settings."""
    rows, side = settings.episode_steps + 1, settings.image_size
    pixels = np.empty((task.end - task.first, rows, side, side, 3), np.uint8)
    rollouts = [
        _record(settings, episode, simulator, renderer, pixels[position])
        for position, episode in enumerate(range(task.first, task.end))
    ]
    return encode_shard(pixels.reshape(-1, side, side, 3), join_rollouts(rollouts))


def _record(
    settings: WorkerSettings,
    episode: int,
    simulator: ReacherSimulator,
    renderer: Renderer,
    pixels: Image,
) -> RollOut:
    def draw(t: int) -> None:
        pixels[t] = renderer.render()

    rng = episode_rng(settings.seed, episode)
    behaviour = behaviour_named(settings.behaviour)
    return roll_out(simulator, behaviour, rng, settings.episode_steps, each_state=draw)


def _use_one_thread() -> None:
    # One worker is one busy core. Mesa's software OpenGL reads its number when a context is made;
    # by default it starts as many threads as there are cores, in every worker.
    os.environ.setdefault("LP_NUM_THREADS", "1")
    import cv2

    cv2.setNumThreads(1)
