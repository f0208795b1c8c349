"""A linear world seen through pictures is learned linearly, and only thanks to SIGReg.

Two spots on a 16×16 picture, one red and one green; the four coordinates follow a stable linear
system driven by two actions. So the truth is known: four numbers, up to a linear map.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import Tensor

from agent.model.encoder import EncoderConfig
from agent.model.predictor import PredictorConfig
from agent.model.rolling import roll
from agent.model.world_model import WorldModel, WorldModelConfig
from agent.training.diagnostics import effective_rank, fit_probe, probe_r2
from agent.training.objective import regularised_loss
from agent.training.optimiser import WorldModelOptimiser
from agent.training.regularisers import make_regulariser
from agent.training.settings import TrainingConfig
from envs import WorldSpec

EPISODES, TRAINED, FRAMES, WINDOW = 200, 180, 60, 8
SPEC = WorldSpec("recorded:spots", "drawn", (16, 16), 2, 0.04)


@dataclass(frozen=True)
class World:
    """``states`` (E, T, 4), variance 1; ``actions`` (E, T, 2); ``pictures`` (E, T, h, w, 3)."""

    states: Tensor
    actions: Tensor
    pictures: Tensor


@pytest.fixture(scope="module")
def world() -> World:
    draw = torch.Generator().manual_seed(0)
    turn = torch.tensor([[0.94, -0.34], [0.34, 0.94]])
    step = torch.block_diag(0.97 * turn, 0.9 * turn)
    push = 0.3 * torch.randn(4, 2, generator=draw)
    actions = torch.randn(EPISODES, FRAMES + 30, 2, generator=draw)
    states = [torch.zeros(EPISODES, 4)]
    for action in actions.unbind(1):
        states.append(states[-1] @ step.T + action @ push.T)
    settled = torch.stack(states[30:-1], 1)
    settled = settled / settled.std((0, 1))
    return World(settled, actions[:, 30:], picture(settled))


def picture(states: Tensor) -> Tensor:
    place = torch.linspace(-3.2, 3.2, 16)
    bumps = torch.exp(-((states[..., None] - place) ** 2) / (2 * 1.5**2))  # (E, T, 4, 16)
    spots = bumps[..., 1::2, :, None] * bumps[..., 0::2, None, :]  # (E, T, 2, 16, 16)
    pixels = torch.zeros(*states.shape[:-1], 16, 16, 3, dtype=torch.uint8)
    pixels[..., :2] = (255 * spots).round().to(torch.uint8).movedim(-3, -1)
    return pixels


@pytest.fixture(autouse=True, scope="module")
def one_thread_here() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@torch.enable_grad()
def learn(world: World, sigreg_weight: float, steps: int) -> WorldModel:
    torch.manual_seed(0)
    draw = torch.Generator().manual_seed(0)
    encoder = EncoderConfig(latent_dim=4, channels=(16, 32, 32), hidden=64)
    predictor = PredictorConfig(context=3, width=64, blocks=1)
    model = WorldModel(WorldModelConfig(encoder, predictor, action_block=1), SPEC)
    model.encoder.set_pixel_statistics(world.pictures[:TRAINED, ::4].flatten(0, 1))
    regulariser = make_regulariser(TrainingConfig(sigreg_directions=16))
    optimiser = WorldModelOptimiser(model, TrainingConfig(steps=steps))
    for step in range(steps):
        episode = torch.randint(TRAINED, (32, 1), generator=draw)
        rows = torch.randint(FRAMES - WINDOW, (32, 1), generator=draw) + torch.arange(WINDOW)
        terms = regularised_loss(
            model,
            regulariser,
            world.pictures[episode, rows],
            world.actions[episode, rows[:, :-1]],
            sigreg_weight,
            draw,
        )
        optimiser.step(terms.total, step)
    return model.eval()


@torch.no_grad()
def test_the_state_is_recovered_and_predicted(world: World) -> None:
    model = learn(world, sigreg_weight=0.05, steps=400)
    embeddings = model.encode(world.pictures)
    held_out = embeddings[TRAINED:].flatten(0, 1).numpy()
    probe = fit_probe(flat(embeddings[:TRAINED]), flat(world.states[:TRAINED]))
    assert probe_r2(probe, held_out, flat(world.states[TRAINED:])).min() > 0.99
    assert effective_rank(held_out) > 3.8
    # Ten steps on its own from the first three frames.
    context, actions = embeddings[TRAINED:, :3], world.actions[TRAINED:]
    ahead = roll(model.predictor, context, actions[:, :2], actions[:, None, 2:12])[:, 0, -1]
    assert probe_r2(probe, ahead.numpy(), world.states[TRAINED:, 12].double().numpy()).min() > 0.95


@torch.no_grad()
def test_without_sigreg_the_embedding_collapses(world: World) -> None:
    model = learn(world, sigreg_weight=0.0, steps=150)
    embeddings = model.encode(world.pictures)
    assert effective_rank(flat(embeddings[TRAINED:])) < 2.0
    probe = fit_probe(flat(embeddings[:TRAINED]), flat(world.states[:TRAINED]))
    r2 = probe_r2(probe, flat(embeddings[TRAINED:]), flat(world.states[TRAINED:]))
    assert r2.min() < 0.9


def flat(values: Tensor) -> np.ndarray:
    return values.flatten(0, 1).double().numpy()
