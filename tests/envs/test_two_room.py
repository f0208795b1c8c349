"""Geometry is the oracle: what a straight line may cross, and where the dot is drawn."""

import numpy as np
import pytest

from envs import PoseError, ProfileError, make_world
from envs.behaviours import roll_out
from envs.two_room import TwoRoomWorld
from envs.two_room_geometry import DOOR_PX, SIDE_PX, WALL_PX, in_wall, move

BOTH = ["two-room", "two-room-swept"]


def placed(name: str, x: float, y: float) -> TwoRoomWorld:
    world = make_world(name)
    world.reset(np.random.default_rng(0), np.array([x, y]))
    return world


@pytest.mark.parametrize("name", BOTH)
def test_a_step_in_the_open_is_five_pixels(name: str) -> None:
    world = placed(name, 50.0, 80.0)
    world.step(np.array([1.0, -0.5]))
    np.testing.assert_allclose(world.state(), (55.0, 77.5))


@pytest.mark.parametrize("name", BOTH)
def test_nobody_passes_the_wall_or_the_border_but_the_door_lets_through(name: str) -> None:
    for y, x in ((150.0, WALL_PX[0]), (20.0, WALL_PX[0]), (49.0, SIDE_PX - 14.0)):
        world = placed(name, 60.0, y)
        for _ in range(60):
            world.step(np.array([1.0, 0.0]))
        np.testing.assert_allclose(world.state(), (x, y))
        for _ in range(60):
            world.step(np.array([-1.0, 0.0]))
        assert world.state()[0] == 14.0


@pytest.mark.parametrize("name", BOTH)
def test_no_step_ends_in_the_wall_nor_on_its_other_side(name: str) -> None:
    rng = np.random.default_rng(1)
    starts = np.column_stack([rng.uniform(95, 129, 4000), rng.uniform(20, 80, 4000)])
    starts = starts[~in_wall(starts)]
    ends = move(starts, rng.uniform(-1, 1, (len(starts), 2)), make_world(name).swept)
    assert not in_wall(ends).any()
    assert (np.abs(ends - starts).max(-1) <= 5.0 + 1e-9).all()


def test_the_swept_test_cuts_no_corner_and_the_original_does() -> None:
    """From the face of the wall below the door, a step up and into it would clip its edge."""
    corner, action = (WALL_PX[0] - 1.0, DOOR_PX[1] + 1.0), np.array([1.0, -0.4])
    original, swept = (placed(name, *corner) for name in BOTH)
    original.step(action)
    swept.step(action)
    np.testing.assert_allclose(original.state(), (111.0, 62.0))
    np.testing.assert_allclose(swept.state(), (WALL_PX[0], 62.0))


def test_no_way_of_a_swept_step_crosses_the_wall() -> None:
    """A way that was not shortened is free at each of a hundred points."""
    rng = np.random.default_rng(2)
    starts = np.column_stack([rng.uniform(100, 124, 4000), rng.uniform(25, 75, 4000)])
    starts = starts[~in_wall(starts)]
    actions = rng.uniform(-1, 1, (len(starts), 2))
    ends = move(starts, actions, swept=True)
    whole = np.abs(ends - starts - 5.0 * actions).max(-1) < 1e-9
    assert 0.5 < whole.mean() < 1.0
    for share in np.linspace(0, 1, 100):
        assert not in_wall(starts[whole] + share * (ends - starts)[whole]).any()


def test_starts_fill_both_rooms_evenly() -> None:
    world, rng = make_world("two-room"), np.random.default_rng(3)
    places = np.array([world.sample_state(rng) for _ in range(2000)])
    assert not in_wall(places).any()
    assert abs((places[:, 0] > 112).mean() - 0.5) < 0.04
    assert places.min() < 16 and places.max() > 208


@pytest.mark.parametrize("size", [64, 224])
def test_the_dot_is_drawn_where_it_is(size: int) -> None:
    """The centre of mass of what is not white, in the units of the state."""
    world, place = TwoRoomWorld(image_size=size), np.array([60.3, 101.7])
    red = 255.0 - world.picture(place)[..., 1]
    red -= 255.0 - world.picture(np.array([190.0, 190.0]))[..., 1]
    red = np.clip(red, 0, None)
    rows, columns = (np.mgrid[:size, :size] + 0.5) * SIDE_PX / size
    centre = np.array([(red * columns).sum(), (red * rows).sum()]) / red.sum()
    np.testing.assert_allclose(centre, place, atol=0.1)
    assert red.sum() * (SIDE_PX / size) ** 2 / 255 == pytest.approx(2 * np.pi * 49, rel=0.02)


def test_small_pictures_are_large_ones_averaged() -> None:
    place = np.array([80.0, 49.0])
    small = TwoRoomWorld(image_size=56).picture(place).astype(float)
    large = TwoRoomWorld(image_size=224).picture(place).reshape(56, 4, 56, 4, 3).mean((1, 3))
    np.testing.assert_allclose(small, large, atol=1.0)


def test_the_walk_uses_the_door() -> None:
    world = make_world("two-room")
    path = roll_out(world, world.behaviours["walk"], np.random.default_rng(3), 400).states
    assert np.abs(np.diff(path[:, 0] > 112)).sum() >= 4


def test_bad_places_and_looks_are_errors() -> None:
    for place in ((112.0, 150.0), (0.0, 50.0), (np.nan, 50.0)):
        with pytest.raises(PoseError, match="in one of the rooms"):
            placed("two-room", *place)
    with pytest.raises(ProfileError, match="'fast'"):
        make_world("two-room", look="dmc")


def test_a_push_does_not_outlive_its_episode() -> None:
    world = TwoRoomWorld()
    world.reset(np.random.default_rng(0), np.array([60.0, 60.0]))
    world.push(np.array([1.0, 0.0, 0.0]))
    world.reset(np.random.default_rng(0), np.array([60.0, 60.0]))
    world.step(np.zeros(2))
    assert world.state().tolist() == [60.0, 60.0]
