"""What ``envs.base`` promises, asked of every world."""

from collections.abc import Iterator
from pathlib import Path

import gymnasium
import numpy as np
import pytest

from envs import (
    Posable,
    PoseError,
    SpecError,
    Traced,
    World,
    WorldSpec,
    load_user_module,
    make_world,
    passed_through,
)
from envs.checking import check_world

FILE = Path(__file__).with_name("small_worlds.py")
SMALL = load_user_module(FILE)
gymnasium.register("SmallPendulum-v0", SMALL.Pendulum)
NAMES = [
    "reacher",
    "two-room",
    "two-room-swept",
    "dmc:point_mass-easy",
    "dmc:cartpole-swingup",
    "gym:SmallPendulum-v0",
    "gym:InvertedPendulum-v5",
    f"{FILE}:SlideWorld",
    f"{FILE}:Pendulum",
]


@pytest.fixture(params=NAMES, ids=lambda name: name.rpartition("/")[2])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    made = make_world(request.param, image_size=32)
    yield made
    made.close()


def actions_of(world: World, ticks: int = 12) -> np.ndarray:
    return np.random.default_rng(5).uniform(-1, 1, (ticks, world.spec.action_dim))


def play(world: World, seed: int) -> tuple[np.ndarray, np.ndarray]:
    world.reset(np.random.default_rng(seed))
    states, frames = [world.state()], [world.frame()]
    for action in actions_of(world):
        world.step(action)
        states.append(world.state())
        frames.append(world.frame())
    return np.array(states), np.array(frames)


def test_it_passes_the_check_of_a_users_own(world: World) -> None:
    assert check_world(world, "it") is world
    assert WorldSpec.from_json(world.spec.to_json()) == world.spec
    assert world.spec.image_size == (32, 32)


def test_frames_and_states_are_fresh_copies(world: World) -> None:
    world.reset(np.random.default_rng(0))
    frame, state = world.frame(), world.state()
    assert frame.shape == world.spec.frame_shape and frame.dtype == np.uint8
    kept = frame.copy(), state.copy()
    world.state()[:] = 7.0
    world.frame()[:] = 7
    np.testing.assert_array_equal(world.frame(), kept[0])
    np.testing.assert_array_equal(world.state(), kept[1])
    for action in actions_of(world):
        world.step(action)
    np.testing.assert_array_equal(frame, kept[0])
    np.testing.assert_array_equal(state, kept[1])


def test_the_same_stream_gives_the_same_episode_to_the_bit(world: World) -> None:
    states, frames = play(world, 3)
    others, _ = play(world, 4)
    again, frames_again = play(world, 3)
    np.testing.assert_array_equal(states, again)
    np.testing.assert_array_equal(frames, frames_again)
    assert not np.array_equal(states, others)
    assert np.ptp(states, axis=0).max() > 0 and np.ptp(frames.astype(int), axis=0).max() > 0


def test_actions_are_clipped_and_those_not_finite_refused(world: World) -> None:
    after = []
    for scale in (1.0, 9.0):
        world.reset(np.random.default_rng(1))
        world.step(np.full(world.spec.action_dim, scale))
        after.append(world.state())
    np.testing.assert_array_equal(*after)
    with pytest.raises(ValueError, match="finite"):
        world.step(np.full(world.spec.action_dim, np.nan))
    np.testing.assert_array_equal(world.state(), after[1])


def test_what_was_passed_through_ends_in_the_present_state(world: World) -> None:
    world.reset(np.random.default_rng(2))
    for action in actions_of(world, 3):
        world.step(action)
        path = passed_through(world)
        np.testing.assert_array_equal(path[-1], world.state())
        assert isinstance(world, Traced) or len(path) == 1


def test_a_posed_world_stands_where_it_was_put_and_pictures_leave_it_there(world: World) -> None:
    if not isinstance(world, Posable):
        return
    rng = np.random.default_rng(6)
    start, goal = world.sample_state(rng), world.sample_state(rng)
    world.reset(rng, start)
    np.testing.assert_array_equal(world.state(), start)
    world.step(actions_of(world)[0])
    before, seen = world.state(), world.frame()
    picture = world.picture(goal)
    world.sample_state(rng)
    np.testing.assert_array_equal(world.state(), before)
    np.testing.assert_array_equal(world.frame(), seen)
    world.reset(rng, goal)
    np.testing.assert_array_equal(world.frame(), picture)
    for bad in (np.full(len(goal), np.nan), np.zeros(len(goal) + 1)):
        with pytest.raises(PoseError):
            world.reset(rng, bad)


def test_it_may_be_closed_twice(world: World) -> None:
    world.frame()
    world.close()
    world.close()


def test_worlds_are_not_mistaken_for_each_other() -> None:
    original, swept = make_world("two-room"), make_world("two-room-swept")
    with pytest.raises(SpecError, match="world"):
        original.spec.require_same(swept.spec, "the data")
