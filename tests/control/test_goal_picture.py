"""Goal pictures of another world are refused, those of the model's own are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from agent.control.goal_picture import require_same_look
from agent.errors import UserError
from agent.model.checkpoint import load_checkpoint
from agent.model.world_model import WorldModel
from envs import Posable, make_world

SHIPPED = Path(__file__).parents[2] / "checkpoints" / "reacher"


@pytest.fixture(scope="module")
def shipped() -> WorldModel:
    return load_checkpoint(SHIPPED)


@pytest.mark.parametrize("look", ["fast", "dmc"])
def test_the_look_decides(shipped: WorldModel, look: str) -> None:
    world, rng = make_world(shipped.spec.world, look, 64), np.random.default_rng(0)
    assert isinstance(world, Posable)
    pictures = [world.picture(world.sample_state(rng)) for _ in range(5)]
    world.close()
    for picture in pictures:
        if look == shipped.spec.look:
            require_same_look(picture, shipped)
        else:
            with pytest.raises(UserError, match=r"look 'fast'.*another look"):
                require_same_look(picture, shipped)


def test_an_untrained_model_refuses_nothing(learned: WorldModel) -> None:
    learned.encoder.pixel_mean.zero_()
    noise = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    require_same_look(noise, learned)
