"""Whether a training can begin: the device is there, and windows are longer than their context."""

from __future__ import annotations

import torch

from agent.config import ExperimentConfig
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


def require_fit(config: ExperimentConfig) -> None:
    """UserError unless a window has frames to predict."""
    context = config.model.predictor.context
    if config.training.window_frames <= context:
        raise UserError(
            f"expected window_frames > context={context}, got {config.training.window_frames}"
        )
