"""What training says of itself on the way."""

from __future__ import annotations

from dataclasses import dataclass

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
