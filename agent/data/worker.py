"""What a worker does to make shards: move, draw, compress, hand over the bytes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
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
class ShardWork:
    """What all shards of a data set have in common; ``agent.cluster`` has it done."""

    world: str
    look: str
    image_size: int | None
    behaviour: str
    find_behaviour: Callable[[str, World], Behaviour]
    seed: int
    episode_steps: int

    def begin(self) -> Callable[[ShardTask], Shard]:
        """Open a world, and return what makes shards in it."""
        world = make_world(self.world, self.look, self.image_size)
        behaviour = self.find_behaviour(self.behaviour, world)
        return lambda task: make_shard(task, self, world, behaviour)


def make_shard(task: ShardTask, work: ShardWork, world: World, behaviour: Behaviour) -> Shard:
    """The file content of one shard: a pure function of task and work."""
    frames: list[Image] = []
    rollouts = [
        _record(work, episode, world, behaviour, frames) for episode in range(task.first, task.end)
    ]
    return Shard(encode_shard(np.stack(frames), join_rollouts(rollouts)), len(frames))


def _record(
    work: ShardWork, episode: int, world: World, behaviour: Behaviour, frames: list[Image]
) -> RollOut:
    rng = episode_rng(work.seed, episode)
    steps = work.episode_steps
    return roll_out(world, behaviour, rng, steps, each_state=lambda t: frames.append(world.frame()))
