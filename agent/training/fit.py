"""Whether a training can begin: the device is there, and windows are longer than their context."""

from __future__ import annotations

import torch

from agent.config import ExperimentConfig
from agent.errors import UnfitError, UserError
from agent.training import ranks
from agent.training.settings import MAX_THREADS

SERVED = ("cpu", "cuda")


def usable_device(name: str) -> torch.device:
    """The device of that name, if something can be computed on it; UserError if not."""
    try:
        device = torch.device(name)
        if device.type not in SERVED:
            raise RuntimeError("torch knows it, this program does not")
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:  # torch without CUDA asserts
        raise UserError(
            f"expected a device torch can use here, {' or '.join(SERVED)}, got {name!r} ({error})"
        ) from error
    return device


def require_fit(config: ExperimentConfig) -> None:
    """UserError unless a window has frames to predict, the threads are some a machine has, and the
    batch has a part for every rank."""
    if config.training.threads > MAX_THREADS:
        raise UserError(f"expected threads from 1 to {MAX_THREADS}, got {config.training.threads}")
    if config.training.batch % ranks.count():
        raise UserError(
            f"expected --training.batch to be divisible by the {ranks.count()} ranks, got "
            f"{config.training.batch}: each has as many windows as the others"
        )
    context, training = config.model.predictor.context, config.training
    for flag, frames in (
        ("--training.window-frames", training.window_frames),
        ("--training.settling-frames", training.settling_frames or training.window_frames),
    ):
        if frames <= context:
            raise UnfitError(
                f"expected {flag} above the context of {context} frames "
                f"(--model.predictor.context), got {frames}"
            )
