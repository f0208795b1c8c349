"""Goal pictures of another world are refused, those of the model's own are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from agent.control.goal_picture import require_same_profile
from agent.errors import UserError
from agent.model.checkpoint import load_checkpoint
from agent.model.world_model import WorldModel, WorldModelConfig
from envs import ReacherSimulator, Renderer, sample_pose

SHIPPED = Path(__file__).parents[2] / "checkpoints" / "reacher"


@pytest.fixture(scope="module")
def model() -> WorldModel:
    return load_checkpoint(SHIPPED)


@pytest.mark.parametrize("profile", ["fast", "dmc"])
def test_the_profile_decides(model: WorldModel, profile: str) -> None:
    rng, renderer = np.random.default_rng(0), Renderer(ReacherSimulator(), profile, 64)
    pictures = [renderer.render_pose(sample_pose(rng)) for _ in range(5)]
    renderer.close()
    for picture in pictures:
        if profile == model.config.render_profile:
            require_same_profile(picture, model)
        else:
            with pytest.raises(UserError, match=r"render profile 'fast'.*another profile"):
                require_same_profile(picture, model)


def test_an_untrained_model_refuses_nothing() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    require_same_profile(noise, WorldModel(WorldModelConfig()))
