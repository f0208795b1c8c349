"""Whether a training can begin: the device is there, and the data are of the model's world."""

from __future__ import annotations

import torch

from agent.config import ExperimentConfig
from agent.data.store import RolloutStore
from agent.errors import UserError


def usable_device(name: str) -> torch.device:
    """The device of that name, if something can be computed on it; UserError if not."""
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:  # torch without CUDA asserts
        raise UserError(
            f"expected a device torch can use here, such as cpu, got {name!r} ({error})"
        ) from error
    return device


def require_fit(store: RolloutStore, config: ExperimentConfig) -> None:
    """UserError unless the data show the world the model is built for."""
    header, model = store.header, config.model
    pairs = {
        "render_profile": (header.render_profile, model.render_profile),
        "image_size": (header.image_size, model.encoder.image_size),
        "action_repeat": (header.action_repeat, model.action_repeat),
        "physics_dt_s": (header.physics_dt_s, model.physics_dt_s),
    }
    for name, (found, expected) in pairs.items():
        if found != expected:
            raise UserError(
                f"{store.directory}: expected {name}={expected!r} as in the model's settings, "
                f"got {found!r}; collect again or change the preset"
            )
    if config.training.window_frames <= model.predictor.context:
        raise UserError(
            f"expected window_frames > context={model.predictor.context}, "
            f"got {config.training.window_frames}"
        )
