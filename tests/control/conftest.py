"""A world whose model is known exactly: a point with inertia, pushed by torques.

One control tick changes velocity by PUSH·u and then the position by the velocity. A model step is
two ticks, so the next position follows exactly from the last two positions and the torques of
the last two blocks, if and only if frames and torques are lined up as promised.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from agent.interfaces import GoalObservation, Image
from agent.model.encoder import EncoderConfig
from agent.model.predictor import PredictorConfig
from agent.model.world_model import WorldModel, WorldModelConfig

PUSH = 0.05
SIZE = 16


class ReadPosition(nn.Module):
    """(..., h, w, 3) -> (..., 2): the position is written in the first two pixels, in 16 bits."""

    def forward(self, frames: Tensor) -> Tensor:
        pixels = frames[..., 0, :2, :].float()
        return (pixels[..., 0] * 256 + pixels[..., 1]) / 8192 - 4


class TwoTicks(nn.Module):
    """Two ticks of the point, from the last two positions and the last two blocks."""

    def forward(self, embeddings: Tensor, actions: Tensor) -> Tensor:
        before, now = embeddings[..., -2, :], embeddings[..., -1, :]
        past, block = (actions[..., i, :].unflatten(-1, (2, 2)) for i in (-2, -1))
        coasting = 2 * now - before + PUSH * past[..., 1, :]
        moved: Tensor = coasting + PUSH * (2 * block[..., 0, :] + block[..., 1, :])
        return moved


class Points:
    """The true point of E episodes."""

    def __init__(self, start: np.ndarray, goal: np.ndarray) -> None:
        self.position, self.goal = start.copy(), goal
        self.velocity = np.zeros_like(start)

    def step(self, torques: np.ndarray) -> None:
        self.velocity += PUSH * torques
        self.position += self.velocity

    def observations(self) -> list[GoalObservation]:
        return [
            GoalObservation(write(p), write(g), np.zeros(4), np.zeros(4))
            for p, g in zip(self.position, self.goal, strict=True)
        ]

    def rows(self, *episodes: int) -> Points:
        return Points(self.position[list(episodes)], self.goal[list(episodes)])


def write(position: np.ndarray) -> Image:
    frame = np.zeros((SIZE, SIZE, 3), np.uint8)
    number = np.round((position + 4) * 8192).astype(np.int64)
    frame[0, :2, 0], frame[0, :2, 1] = number // 256, number % 256
    return frame


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """These batches are too small to share."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def exact_model() -> WorldModel:
    """The point's own model, in the shape of a learned one."""
    encoder = EncoderConfig(image_size=SIZE, latent_dim=2, channels=(4, 4, 4), hidden=8)
    model = WorldModel(WorldModelConfig(encoder, PredictorConfig(context=3)))
    model.encoder, model.predictor = ReadPosition(), TwoTicks()  # type: ignore[assignment]
    return model.eval()


@pytest.fixture
def learned_model() -> WorldModel:
    """A network of the usual kind with random weights."""
    torch.manual_seed(0)
    encoder = EncoderConfig(image_size=SIZE, latent_dim=5, channels=(4, 4, 8), hidden=16)
    model = WorldModel(WorldModelConfig(encoder, PredictorConfig(context=3, width=16, blocks=1)))
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.3)
    model.goal_metric.copy_(torch.randn(5, 5))
    return model.eval()


@pytest.fixture
def points() -> Callable[[], Points]:
    """Three points at rest and where they should go; the third is there already."""
    start = np.array([[0.0, 0.0], [0.5, -1.0], [0.25, 0.75]])
    goal = np.array([[0.4, -0.3], [0.3, -0.6], [0.25, 0.75]])
    return lambda: Points(start, goal)
