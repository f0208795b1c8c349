"""A few pictures to choose a goal from: of recordings, of random poses, or of a short walk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from agent.data import RolloutStore
from agent.interfaces import Array, Image
from envs import Posable, World, behaviour_named, roll_out

COUNT = 8
WALK_STEPS = 96
Shown = tuple[Image, Array | None]


class Gallery:
    """Pictures uint8 (h, w, 3), each with its state (S,) where that is known."""

    def __init__(self, shown: Sequence[Shown]) -> None:
        self._shown = tuple(shown)

    @property
    def names(self) -> tuple[str, ...]:
        """What they go by."""
        return tuple(str(number) for number in range(1, len(self._shown) + 1))

    def named(self, name: str) -> Shown:
        """The picture of that name, and its state."""
        return self._shown[int(name) - 1]

    @property
    def strip(self) -> Image:
        """All of them side by side, (h, n*w, 3)."""
        return np.concatenate([picture for picture, _ in self._shown], 1)


def gallery_of_recordings(data: Path, world: World) -> Gallery:
    """Frames of a data set, evenly spread.

    Raises:
        SpecError: if it is of another world.
        DamagedDataError: if it is not what its manifest says.
    """
    store = RolloutStore.open(data)
    world.spec.require_same(store.header.spec, f"the recordings in {data}")
    episodes = store.load(0)  # pictures stay on disk
    rows = np.linspace(0, len(episodes.action) - 1, COUNT + 2).astype(np.int64)[1:-1]
    known = bool(episodes.state.shape[1])
    return Gallery(
        [(episodes.pixels[row[None]][0], episodes.state[row] if known else None) for row in rows]
    )


def gallery_of_world(world: World, rng: np.random.Generator) -> Gallery:
    """Random poses; where a world cannot be posed, what it passes through while moved about."""
    if isinstance(world, Posable):
        states = [world.sample_state(rng) for _ in range(COUNT)]
        return Gallery([(world.picture(state), state) for state in states])
    seen: list[Shown] = []

    def note(tick: int) -> None:
        if tick % (WALK_STEPS // COUNT) == 0 and len(seen) < COUNT:
            seen.append((world.frame(), world.state() if world.spec.state else None))

    roll_out(world, behaviour_named("ou", world), rng, WALK_STEPS, each_state=note)
    return Gallery(seen)
