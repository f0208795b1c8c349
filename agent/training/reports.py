"""What training says of itself on the way."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from agent.training.diagnostics import Diagnostics

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


@dataclass
class Clock:
    """Seconds of training, those before a resume included; diagnostics count too."""

    before: float = 0.0
    started: float = field(default_factory=time.monotonic)

    def seconds(self) -> float:
        """So far."""
        return self.before + time.monotonic() - self.started


def report_on(
    losses: Sequence[Losses],
    step: int,
    total_steps: int,
    frames_per_step: int,
    seconds: float,
    diagnostics: Diagnostics | None,
) -> TrainStatistics:
    """Means of the ``losses`` since the last report, and the speed since the start."""
    loss, one_step, multi_step, sigreg = np.mean(losses, axis=0).tolist()
    return TrainStatistics(
        step=step,
        total_steps=total_steps,
        loss=loss,
        one_step=one_step,
        multi_step=multi_step,
        sigreg=sigreg,
        seconds=seconds,
        frames_per_s=step * frames_per_step / max(seconds, 1e-9),
        diagnostics=diagnostics,
    )
