"""Nothing stays behind on the CPU: what a GPU refuses, the device without memory refuses too."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace

import pytest
import torch

from agent.config import preset
from agent.model.rolling import roll
from agent.model.world_model import TAUGHT_LATER, WorldModel
from agent.training.objective import prediction_loss, regularised_loss, warm_start_loss
from agent.training.regularisers import make_regulariser
from envs import WorldSpec

SPEC = WorldSpec("recorded:nothing", "drawn", (32, 32), 2, 0.04)
META = torch.device("meta")
PRESETS = ("tiny", "vicreg", "lewm-tiny")


def elsewhere(name: str) -> WorldModel:
    return WorldModel(preset(name).model, SPEC).to(META)


@pytest.mark.parametrize("name", PRESETS)
def test_every_lesson_stays_on_its_device(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "autocast", lambda *device, **how: nullcontext())  # it has none
    model, config = elsewhere(name), preset(name).training
    regulariser = make_regulariser(replace(config, device="meta"))
    draw = torch.Generator().manual_seed(0)
    frames = torch.empty(4, config.window_frames, 32, 32, 3, dtype=torch.uint8, device=META)
    actions = torch.empty(4, config.window_frames - 1, model.action_width, device=META)
    embeddings = torch.empty(4, config.window_frames, model.latent_dim, device=META)
    losses = (
        regularised_loss(model, regulariser, frames, actions, 0.1, draw, config.multi_step),
        prediction_loss(model, embeddings, actions, config.multi_step),
        warm_start_loss(model, frames[:, :2]),
    )
    for loss in losses:
        loss.total.backward()  # type: ignore[no-untyped-call]
    learned = [p for n, p in model.named_parameters() if not n.startswith(TAUGHT_LATER)]
    assert all(p.grad is not None and p.grad.device == META for p in learned)


@pytest.mark.parametrize("name", PRESETS)
def test_a_plan_and_its_slopes_stay_on_their_device(name: str) -> None:
    model = elsewhere(name).eval()
    seen = torch.empty(3, model.context, model.latent_dim, device=META)
    past = torch.empty(3, model.context - 1, model.action_width, device=META)
    plan = torch.empty(3, 5, model.action_width, device=META)
    with torch.no_grad():
        predicted = roll(model.predictor, seen, past, plan[:, None])[:, 0]
        slopes = model.stepping().slopes(seen, past, plan, predicted)
    assert predicted.device == slopes.device == META
    assert slopes.shape == (3, 5, 5 * model.action_width, model.latent_dim)
