"""A predictor that knows no slopes of its own is differentiated, and plans like any other."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from agent.control.model import Situation
from agent.control.torch_model import TorchModel
from agent.model.encoder import EncoderConfig
from agent.model.predictor import PredictorConfig
from agent.model.transformer import TransformerConfig
from agent.model.world_model import WorldModel, WorldModelConfig
from envs import WorldSpec

SPEC, DIM, HORIZON = WorldSpec("recorded:any", "drawn", (16, 16), 3, 0.05), 4, 3
PREDICTORS = {
    "pushes": PredictorConfig(context=3, width=16, blocks=1),
    "differentiated": TransformerConfig(context=3, depth=1, heads=2, head_width=4, hidden=16),
}


@pytest.mark.parametrize("kind", PREDICTORS)
def test_slopes_are_those_of_the_rollout(kind: str) -> None:
    torch.manual_seed(0)
    encoder = EncoderConfig(latent_dim=DIM, channels=(4, 4, 4), hidden=8)
    network = WorldModel(WorldModelConfig(encoder, PREDICTORS[kind]), SPEC)
    for weights in network.predictor.parameters():
        torch.nn.init.normal_(weights, std=0.3)
    model = TorchModel(network.double())
    draw = np.random.default_rng(0)
    context, width = model.context, network.action_width
    now = Situation(
        draw.normal(size=(1, context, DIM)),
        draw.normal(size=(1, context - 1, width)),
        draw.normal(size=(1, DIM)),
        np.zeros((1, DIM)),
        np.zeros((1, 0, SPEC.action_dim)),
        np.ones(1),
    )
    plan = draw.uniform(-1, 1, (1, HORIZON, width))
    with torch.inference_mode():  # as a caller may have it
        offsets, slopes = model.linearise(now, plan)
    np.testing.assert_allclose(offsets, model.rollout(now, plan[:, None])[:, 0], atol=1e-9)
    steps = 1e-5 * np.eye(HORIZON * width).reshape(-1, HORIZON, width)
    moved = [model.rollout(now, (plan + sign * steps)[None])[0] for sign in (1, -1)]
    np.testing.assert_allclose(slopes[0], (moved[0] - moved[1]) / 2e-5, atol=1e-6)
