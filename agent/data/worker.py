"""What to collect, and what a worker does for it: move, draw, compress, hand over the bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from agent.data.header import DatasetHeader
from agent.data.shards import Shard, encode_shard, join_rollouts
from agent.errors import UserError
from agent.interfaces import Image
from agent.settings import require_seed
from envs import (
    DEFAULT_WORLD,
    USUAL_BEHAVIOUR,
    Behaviour,
    World,
    WorldError,
    WorldSpec,
    behaviour_named,
    checked_frame,
    load_user_module,
    make_world,
    require_call,
    roll_out,
)


@dataclass(frozen=True)
class ShardTask:
    """Make shard number ``index`` of the episodes ``first`` … ``end`` − 1."""

    index: int
    first: int
    end: int


def episode_rng(seed: int, episode: int) -> np.random.Generator:
    """The random stream that episode ``episode`` of the data set seeded ``seed`` owns."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(episode,)))


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
    require_call(found, name, "rng", "ticks", "action_dim")
    return Behaviour(name, found)


@dataclass(frozen=True)
class CollectConfig:
    """What to collect, and where to."""

    out: Path
    """Directory of the data set; made if missing, continued if interrupted before."""
    world: str = DEFAULT_WORLD
    """Which world, by a name the catalogue knows."""
    look: str = ""
    """How frames are drawn; the world's own choice if empty."""
    image_size: int | None = None
    """Side of a frame in pixels; the world's own choice if None."""
    episodes: int = 300
    """How many episodes in all; more than are there already extends the data set."""
    episode_steps: int = 200
    """Env steps per episode at most; one frame more is recorded."""
    behaviour: str = USUAL_BEHAVIOUR
    """How the world is moved, by the name of a behaviour."""
    workers: int | None = 2
    """Processes at most, None for every core; changes the time it takes, never the data."""
    cluster: str = ""
    """Where they run: here, or on the Ray cluster at this address; ``local`` starts one."""
    seed: int = 0
    """Everything random follows from it."""
    episodes_per_shard: int = 10
    """Episodes per file: what an interruption can cost."""
    find_behaviour: Callable[[str, World], Behaviour] = named_behaviour
    """What makes a behaviour of its name; a function of a module, as workers import it."""

    def __post_init__(self) -> None:
        for name in ("episodes", "episode_steps", "workers", "episodes_per_shard"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise UserError(f"expected {name} of at least 1, got {value}")
        require_seed(self.seed)

    def header(self, spec: WorldSpec, drawn: Mapping[str, str]) -> DatasetHeader:
        """The header of the data set this asks for, of a world of that spec, ``drawn`` with."""
        return DatasetHeader(
            drawn_with=drawn,
            spec=spec,
            behaviour=self.behaviour,
            seed=self.seed,
            episodes=self.episodes,
            episode_steps=self.episode_steps,
            episodes_per_shard=self.episodes_per_shard,
        )

    def begin(self) -> Callable[[ShardTask], Shard]:
        """Open a world, and return what makes shards in it."""
        world = make_world(self.world, self.look, self.image_size)
        behaviour = self.find_behaviour(self.behaviour, world)
        return lambda task: self._shard(task, world, behaviour)

    def _shard(self, task: ShardTask, world: World, behaviour: Behaviour) -> Shard:
        """The file content of one shard: a pure function of the task and the settings."""
        frames: list[Image] = []
        rollouts = [
            roll_out(
                world, behaviour, episode_rng(self.seed, episode), self.episode_steps,
                each_state=lambda t: frames.append(checked_frame(world, t)),
            )
            for episode in range(task.first, task.end)
        ]  # fmt: skip
        return Shard(encode_shard(np.stack(frames), join_rollouts(rollouts)), len(frames))
