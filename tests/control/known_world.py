"""A world whose model is known exactly: a point with inertia, pushed by two actions.

One control tick changes velocity by PUSH·u and then the position by the velocity. A model step is
two ticks, so the next position follows exactly from the last two positions and the actions of
the last two blocks, if and only if frames and actions are lined up as promised.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from agent.control.model import Situation
from agent.control.mpc import WorldModelController
from agent.interfaces import Goals, Image, Seen
from agent.model.encoder import EncoderConfig
from agent.model.predictor import PredictorConfig
from agent.model.world_model import WorldModel, WorldModelConfig
from envs import WorldSpec

PUSH = 0.05
SIZE = 16
SPEC = WorldSpec("point", "plain", (SIZE, SIZE), 2, 0.02)

Array = np.ndarray[Any, Any]


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

    def __init__(self, start: Array, goal: Array) -> None:
        self.position, self.goal = start.copy(), goal
        self.velocity = np.zeros_like(start)

    def step(self, actions: Array) -> None:
        self.velocity += PUSH * actions
        self.position += self.velocity

    def seen(self) -> Seen:
        return Seen(pixels=pictures(self.position))

    def goals(self) -> Goals:
        return Goals(pixels=pictures(self.goal))

    def rows(self, *episodes: int) -> Points:
        return Points(self.position[list(episodes)], self.goal[list(episodes)])


def three_points() -> Points:
    """Three points at rest and where they should go; the third is there already."""
    start = np.array([[0.0, 0.0], [0.5, -1.0], [0.25, 0.75]])
    return Points(start, np.array([[0.4, -0.3], [0.3, -0.6], [0.25, 0.75]]))


def pictures(positions: Array) -> Image:
    """Frames (E, h, w, 3) of positions (E, 2)."""
    frames = np.zeros((len(positions), SIZE, SIZE, 3), np.uint8)
    number = np.round((positions + 4) * 8192).astype(np.int64)
    frames[:, 0, :2, 0], frames[:, 0, :2, 1] = number // 256, number % 256
    return frames


def drive(
    controller: WorldModelController, world: Points, ticks: int, seeds: Sequence[int]
) -> Array:
    """Actions (ticks, E, 2) of an episode, from its reset on."""
    sent = []
    controller.reset(world.goals(), seeds)
    for _ in range(ticks):
        sent.append(controller.act(world.seen()).actions)
        world.step(sent[-1])
    return np.stack(sent)


def exact_network() -> WorldModel:
    """The point's own model, in the shape of a learned one."""
    encoder = EncoderConfig(latent_dim=2, channels=(4, 4, 4), hidden=8)
    network = WorldModel(WorldModelConfig(encoder, PredictorConfig(context=3)), SPEC)
    network.encoder, network.predictor = ReadPosition(), TwoTicks()  # type: ignore[assignment]
    return network.eval()


def learned_network(context: int = 3, action_dim: int = 2, action_block: int = 2) -> WorldModel:
    """A network of the usual kind with random weights."""
    torch.manual_seed(0)
    encoder = EncoderConfig(latent_dim=5, channels=(4, 4, 8), hidden=16)
    predictor = PredictorConfig(context=context, width=16, blocks=1)
    spec = WorldSpec("any", "plain", (SIZE, SIZE), action_dim, 0.02)
    network = WorldModel(WorldModelConfig(encoder, predictor, action_block=action_block), spec)
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.3)
    network.goal_metric.copy_(torch.randn(network.goal_metric.shape))
    return network.eval()


def situation_of(
    network: WorldModel,
    episodes: int = 2,
    *,
    reach: float = 100.0,
    pending: int = 0,
    dtype: type[np.floating[Any]] = np.float32,
) -> Situation:
    """Random embeddings, past, goals and drift; ``pending`` actions on their way."""
    rng, dim = np.random.default_rng(1), network.latent_dim

    def normal(*shape: int) -> Array:
        return rng.normal(size=(episodes, *shape)).astype(dtype)

    return Situation(
        embeddings=normal(network.context, dim),
        past=normal(network.context - 1, network.action_width),
        goals=normal(dim),
        drift=0.1 * normal(dim),
        pending=rng.uniform(-1, 1, (episodes, pending, network.spec.action_dim)).astype(dtype),
        reach=np.full(episodes, reach, dtype),
    )
