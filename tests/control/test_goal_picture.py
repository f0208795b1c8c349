"""Goal pictures of another world are refused, those of the model's own are not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from agent.control.goal_picture import ending, require_known_picture
from agent.control.torch_model import TorchModel
from agent.errors import UserError
from agent.interfaces import Image
from agent.model.checkpoint import load_checkpoint
from agent.model.world_model import WorldModel
from envs import Posable, World, make_world

SHIPPED = Path(__file__).parents[2] / "checkpoints" / "reacher"


@pytest.fixture(scope="module")
def shipped() -> TorchModel:
    return TorchModel(load_checkpoint(SHIPPED))


@pytest.fixture(scope="module")
def world(shipped: TorchModel) -> Iterator[World]:
    made = make_world(shipped.spec.world, shipped.spec.look, 64)
    yield made
    made.close()


def pictures(world: World, count: int) -> Image:
    rng = np.random.default_rng(0)
    assert isinstance(world, Posable)
    return np.stack([world.picture(world.sample_state(rng)) for _ in range(count)])


def test_the_worlds_own_pictures_are_obeyed(shipped: TorchModel, world: World) -> None:
    for picture in pictures(world, 50):
        require_known_picture(picture, shipped)


def test_another_look_is_refused(shipped: TorchModel) -> None:
    other = make_world(shipped.spec.world, "dmc", 64)
    shown = pictures(other, 1)[0]
    other.close()
    with pytest.raises(UserError, match=r"look 'fast'.*another look"):
        require_known_picture(shown, shipped)


def blob(picture: Image) -> Image:
    return cv2.circle(np.full_like(picture, (30, 60, 120)), (32, 32), 10, (220, 200, 40), -1)


def stripe(picture: Image) -> Image:
    return cv2.line(np.full_like(picture, (30, 60, 120)), (8, 32), (56, 32), (220, 200, 40), 5)


def noise(picture: Image) -> Image:
    return np.random.default_rng(0).integers(0, 256, picture.shape, np.uint8)


@pytest.mark.parametrize(
    "wrong",
    [
        blob,
        stripe,
        noise,
        lambda picture: picture[..., :1].repeat(3, -1),
        lambda picture: np.roll(picture, 4, 1),
        lambda picture: np.rot90(picture).copy(),
        lambda picture: picture[:, ::-1].copy(),
        lambda picture: picture // 2,
    ],
    ids=[
        "a blob",
        "a stripe",
        "noise",
        "grey",
        "a moved camera",
        "lying",
        "mirrored",
        "another light",
    ],
)
def test_what_is_no_picture_of_it_is_refused(
    shipped: TorchModel, world: World, wrong: Callable[[Image], Image]
) -> None:
    for picture in pictures(world, 10):
        with pytest.raises(UserError, match="times as strange"):
            require_known_picture(wrong(picture), shipped)


def test_the_ground_without_an_arm_is_refused(shipped: TorchModel, world: World) -> None:
    ground = np.median(pictures(world, 60), 0).astype(np.uint8)
    with pytest.raises(UserError, match="no picture of this world"):
        require_known_picture(ground, shipped)


def test_two_arms_are_refused(shipped: TorchModel, world: World) -> None:
    shown = pictures(world, 40)
    both = np.maximum(shown[:20], shown[20:])
    refused = 0
    for picture in both:
        try:
            require_known_picture(picture, shipped)
        except UserError:
            refused += 1
    assert refused >= 17  # two arms that nearly cover each other pass for one


def test_swapped_colours_are_named(shipped: TorchModel, world: World) -> None:
    with pytest.raises(UserError, match="red and blue are swapped"):
        require_known_picture(pictures(world, 1)[0][..., ::-1].copy(), shipped)


def test_a_model_without_sight_refuses_nothing(learned: WorldModel) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    require_known_picture(noise, TorchModel(learned))


def test_an_ending_is_told_from_pictures(shipped: TorchModel, world: World) -> None:
    assert isinstance(world, Posable)
    here, near, far = (
        world.picture(np.array([angle, 0.5, 0.0, 0.0])) for angle in (0.3, 0.31, 1.5)
    )
    arrived = ending(shipped, near, near, here)
    assert arrived is not None and arrived.arrived and arrived.resting
    passing = ending(shipped, far, near, here)
    assert passing is not None and passing.arrived and not passing.resting
    missed = ending(shipped, far, far, here)
    assert missed is not None and not missed.arrived and missed.resting
