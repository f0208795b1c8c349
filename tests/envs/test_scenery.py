"""What stands still is drawn once: the oracle is everything drawn at once, pixel by pixel."""

from __future__ import annotations

from contextlib import closing

import numpy as np
import pytest

import envs.mujoco_stage as mujoco_stage
from envs import make_world
from envs.base import Image
from envs.reacher import arm_camera
from envs.scenery import Depths, Scenery

# solids before and behind one another, a string, a free camera, and one that stands by itself
LAID = ("reacher", "dmc:point_mass-easy", "dmc:ball_in_cup-catch", "dmc:finger-spin")
# a camera that is carried along, water that is seen through
WHOLE = ("dmc:cheetah-run", "dmc:fish-upright")


def drawn(name: str) -> list[Image]:
    """Pictures of a world that moves, in a context of its own."""
    rng = np.random.default_rng(4)
    with closing(make_world(name)) as world:
        world.reset(rng)
        pictures = []
        for _ in range(12):
            for _ in range(3):
                world.step(rng.uniform(-1, 1, world.spec.action_dim))
            pictures.append(world.frame())
        return pictures


@pytest.mark.parametrize("name", [*LAID, *WHOLE])
def test_no_pixel_changes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    laid, behind = [], Scenery.behind

    def noted(scenery: Scenery, colours: Image, depths: Depths) -> Image:
        laid.append(colours.shape)
        return behind(scenery, colours, depths)

    monkeypatch.setattr(Scenery, "behind", noted)
    found = drawn(name)
    assert bool(laid) is (name in LAID)
    monkeypatch.setattr(mujoco_stage, "stands_still", lambda *_: False)
    np.testing.assert_array_equal(found, drawn(name))
    assert len({picture.tobytes() for picture in found}) > 6


def test_of_two_that_are_equally_far_the_later_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the arm lies on the disc that it turns on, in a pixel of a few poses."""
    poses = [(shoulder, 1.0) for shoulder in np.linspace(0.7853, 0.7855, 40)]
    with closing(arm_camera()) as camera:
        found = [camera.draw(pose) for pose in poses]
    monkeypatch.setattr(mujoco_stage, "stands_still", lambda *_: False)
    with closing(arm_camera()) as camera:
        np.testing.assert_array_equal(found, [camera.draw(pose) for pose in poses])


def test_what_is_farther_than_the_scenery_is_not_seen() -> None:
    colours = np.full((2, 2, 3), 9, np.uint8)
    wall = Scenery(colours, np.array([[0.3, 0.4], [0.0, 0.8]], np.float32))
    ball, depths = np.full((2, 2, 3), 200, np.uint8), np.full((2, 2), 0.4, np.float32)
    np.testing.assert_array_equal(wall.behind(ball, depths)[..., 0], [[200, 200], [200, 9]])
    np.testing.assert_array_equal(colours, 9)
