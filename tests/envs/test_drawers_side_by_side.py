"""Worlds that draw with different libraries, in turn in one process: each has its own pictures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing

import numpy as np
import pytest

from envs import World, make_world
from envs.base import Image

NAMES = ("reacher", "gym:InvertedPendulum-v5", "dmc:point_mass-easy", "gym:InvertedPendulum-v5")


def moved(world: World, rng: np.random.Generator) -> Image:
    world.step(rng.uniform(-1, 1, world.spec.action_dim))
    return world.frame()


def alone(name: str, seed: int) -> list[Image]:
    rng = np.random.default_rng(seed)
    with closing(make_world(name)) as world:
        world.reset(rng)
        return [moved(world, rng) for _ in range(4)]


@pytest.fixture
def worlds() -> Iterator[list[World]]:
    with ExitStack() as stack:
        yield [stack.enter_context(closing(make_world(name))) for name in NAMES]


def test_pictures_in_turn_are_those_of_each_alone(worlds: list[World]) -> None:
    rngs = [np.random.default_rng(seed) for seed in range(len(NAMES))]
    for world, rng in zip(worlds, rngs, strict=True):
        world.reset(rng)
    rounds = [[moved(w, rng) for w, rng in zip(worlds, rngs, strict=True)] for _ in range(4)]
    for seed, name in enumerate(NAMES):
        mine = [pictures[seed] for pictures in rounds]
        assert len({picture.tobytes() for picture in mine}) > 1
        np.testing.assert_array_equal(mine, alone(name, seed))


def test_one_that_is_closed_takes_no_pictures_along(worlds: list[World]) -> None:
    arm, theirs = worlds[0], worlds[1]
    arm.reset(np.random.default_rng(5))
    before = arm.frame()
    theirs.reset(np.random.default_rng(6))
    theirs.frame()
    theirs.close()
    np.testing.assert_array_equal(arm.frame(), before)
    arm.reset(np.random.default_rng(7))
    assert (arm.frame() != before).any()
