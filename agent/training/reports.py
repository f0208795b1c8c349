"""What training says of itself on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from agent.training.diagnostics import Diagnostics
from agent.training.settings import TrainingConfig

Losses = tuple[float, ...]  # total, one-step, multi-step, SIGReg


@dataclass(frozen=True)
class TrainStatistics:
    """One report, every few steps: mean losses since the last, speed, sometimes diagnostics."""

    step: int
    total_steps: int
    loss: float
    one_step: float
    multi_step: float
    sigreg: float
    seconds: float
    frames_per_s: float
    diagnostics: Diagnostics | None = None


def report_of(
    losses: Sequence[Losses],
    step: int,
    config: TrainingConfig,
    seconds: float,
    diagnostics: Diagnostics | None,
) -> TrainStatistics:
    """Means of the ``losses`` since the last report, and the speed of the ``seconds`` till now."""
    loss, one_step, multi_step, sigreg = np.mean(losses, axis=0).tolist()
    speed = step * config.batch * config.window_frames / max(seconds, 1e-9)
    return TrainStatistics(
        step, config.steps, loss, one_step, multi_step, sigreg, seconds, speed, diagnostics
    )
