"""The loss on a world whose model is known exactly, and what flows where."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from agent.model.encoder import EncoderConfig
from agent.model.predictor import PredictorConfig
from agent.model.sigreg import SIGReg
from agent.model.world_model import WorldModel, WorldModelConfig
from agent.training.objective import LossTerms, free_running, regularised_loss, teacher_forced
from agent.training.regularisers import make_regulariser
from agent.training.settings import TrainingConfig
from envs import WorldSpec

WINDOWS, FRAMES, DIM, WIDTH = 3, 8, 4, 4
SPEC = WorldSpec("recorded:noise", "drawn", (16, 16), 2, 0.04)


def loss_of(
    model: WorldModel,
    directions: int,
    frames: Tensor,
    actions: Tensor,
    weight: float,
    generator: torch.Generator | None = None,
) -> LossTerms:
    """The loss with SIGReg along that many directions."""
    regulariser = make_regulariser(TrainingConfig(sigreg_directions=directions))
    return regularised_loss(model, regulariser, frames, actions, weight, generator)


class Counter(nn.Module):
    """z_{t+1} = z_t + the sum of the block between: reads the newest of both and nothing else."""

    def forward(self, embeddings: Tensor, actions: Tensor) -> Tensor:
        moved: Tensor = actions[..., -1, :].sum(-1, keepdim=True)
        return embeddings[..., -1, :] + moved


def world_model(context: int = 3) -> WorldModel:
    torch.manual_seed(0)
    config = WorldModelConfig(
        encoder=EncoderConfig(latent_dim=DIM),
        predictor=PredictorConfig(context, width=16, blocks=1),
    )
    model = WorldModel(config, SPEC)
    model.encoder = nn.Identity()  # type: ignore[assignment]  # frames are the embeddings
    for parameter in model.predictor.parameters():
        nn.init.normal_(parameter, std=0.3)
    return model


def rollouts(model: WorldModel | None = None) -> tuple[Tensor, Tensor]:
    draw = torch.Generator().manual_seed(1)
    actions = torch.randn(WINDOWS, FRAMES - 1, WIDTH, generator=draw)
    return torch.randn(WINDOWS, FRAMES, DIM, generator=draw), actions


@pytest.mark.parametrize("context", [1, 2, 3])
def test_both_errors_vanish_where_the_model_is_the_world(context: int) -> None:
    """Off by one anywhere between frames and actions and this would not be zero."""
    model = world_model(context)
    model.predictor = Counter()  # type: ignore[assignment]
    start, actions = rollouts()
    moved = actions.sum(-1, keepdim=True).cumsum(1)
    frames = torch.cat([start[:, :1], start[:, :1] + moved], 1)
    terms = loss_of(model, 4, frames, actions, weight=0.0)
    assert terms.one_step < 1e-10 and terms.multi_step < 1e-10


@pytest.mark.parametrize("context", [1, 2, 3])
def test_both_ways_of_predicting_agree_on_the_first_frame(context: int) -> None:
    model = world_model(context)
    embeddings, actions = rollouts()
    forced, free = (f(model, embeddings, actions) for f in (teacher_forced, free_running))
    assert forced.shape == free.shape == (WINDOWS, FRAMES - context, DIM)
    torch.testing.assert_close(forced[:, 0], free[:, 0])
    assert (forced[:, 1:] - free[:, 1:]).abs().min() > 1e-6


def test_free_running_never_sees_a_later_frame() -> None:
    model = world_model()
    embeddings, actions = rollouts()
    free, forced = (
        free_running(model, embeddings, actions),
        teacher_forced(model, embeddings, actions),
    )
    embeddings[:, 3:] += 1.0
    assert torch.equal(free_running(model, embeddings, actions), free)
    assert torch.equal(teacher_forced(model, embeddings, actions)[:, 0], forced[:, 0])
    assert not torch.equal(teacher_forced(model, embeddings, actions)[:, 1:], forced[:, 1:])


def test_the_total_is_the_weighted_sum() -> None:
    model = world_model()
    terms = loss_of(model, 8, *rollouts(), 0.3, torch.Generator().manual_seed(0))
    expected = terms.one_step + terms.multi_step + 0.3 * terms.sigreg
    torch.testing.assert_close(terms.total, expected)


def test_sigreg_sees_every_frame_of_every_window() -> None:
    frames, actions = rollouts()
    stream = torch.Generator().manual_seed(2)
    terms = loss_of(world_model(), 8, frames, actions, 1.0, stream)
    expected = SIGReg(8)(frames.reshape(-1, DIM), torch.Generator().manual_seed(2))
    torch.testing.assert_close(terms.sigreg, expected)


def test_nothing_stops_the_gradient_into_the_target() -> None:
    frames, actions = rollouts()
    frames.requires_grad_()
    loss_of(world_model(), 8, frames, actions, 0.0).total.backward()
    assert frames.grad is not None
    assert frames.grad[:, -1].abs().min() > 0  # the last frame is a target and nothing else
