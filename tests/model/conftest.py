"""A world model small enough to check by brute force."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import safetensors.torch
import torch

from agent.files.bundle import write_bundle
from agent.model.description import config_of
from agent.model.encoder import EncoderConfig
from agent.model.predictor import PredictorConfig
from agent.model.world_model import WorldModel, WorldModelConfig
from agent.settings import from_dict
from envs import Column, WorldSpec

FIRST_CONFIG = Path(__file__).with_name("first_schema") / "config.json"
SPEC = WorldSpec("recorded:spots", "drawn", (16, 16), 2, 0.04, (Column("left", "m"),))


@pytest.fixture(scope="session")
def first_schema(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint whose ``config.json`` version 0.1 wrote, with weights of that shape."""
    place = tmp_path_factory.mktemp("first-schema") / "checkpoint"
    said = FIRST_CONFIG.read_bytes()
    config = config_of(place, {"config.json": said})
    torch.manual_seed(0)
    spec = WorldSpec.from_json(config["world"])
    model = WorldModel(from_dict(WorldModelConfig, config["model"]), spec)
    weights = {name: value.contiguous() for name, value in model.state_dict().items()}
    files = {"config.json": said, "model.safetensors": safetensors.torch.save(weights)}
    write_bundle(place, files)
    return place


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """These batches are too small to share."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def make_model(context: int = 3, seed: int = 0) -> WorldModel:
    """Evaluation mode, every weight and BatchNorm statistic random: nothing starts at zero."""
    config = WorldModelConfig(
        encoder=EncoderConfig(latent_dim=4, channels=(4, 4, 8), hidden=16),
        predictor=PredictorConfig(context=context, width=16, blocks=1),
    )
    model = WorldModel(config, SPEC)
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in model.state_dict().items():
            if value.is_floating_point():
                noise = 0.3 * torch.randn(value.shape, generator=draw)
                positive = name.endswith(("running_var", "pixel_std"))
                value.copy_(0.5 + noise.abs() if positive else noise)
        model.encoder.pixel_std.mul_(100)
    return model.eval()


@pytest.fixture
def build() -> Callable[..., WorldModel]:
    """Builds a small random model; ``context`` and ``seed`` can be chosen."""
    return make_model


@pytest.fixture
def model() -> WorldModel:
    """A small random model that reads 3 embeddings."""
    return make_model()
