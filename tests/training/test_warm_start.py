"""The warm start's objective against closed forms, and what it does to a training."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from agent.config import ExperimentConfig
from agent.training.optimiser import learning_rate_factor
from agent.training.settings import TrainingConfig
from agent.training.trainer import Trainer
from agent.training.warm_start import alignment, whitened

Config = Callable[..., ExperimentConfig]


def walks(keep: torch.Tensor, windows: int = 4000, frames: int = 6) -> torch.Tensor:
    """Stationary AR(1) coordinates (B, T, D) of unit variance, each with its own correlation."""
    draw = torch.Generator().manual_seed(0)
    states = [torch.randn(windows, len(keep), generator=draw)]
    for _ in range(frames - 1):
        noise = torch.randn(windows, len(keep), generator=draw)
        states.append(keep * states[-1] + (1 - keep**2).sqrt() * noise)
    return torch.stack(states, 1)


@pytest.mark.parametrize("lag", [1, 3])
def test_a_walk_moves_as_its_correlation_says(lag: int) -> None:
    keep = torch.tensor([0.9, 0.5, 0.0])
    expected = float((2 * (1 - keep**lag)).mean())
    assert float(alignment(walks(keep), [lag])) == pytest.approx(expected, rel=0.02)


def test_whitening_makes_unit_covariance_and_forgets_every_linear_map() -> None:
    draw = torch.Generator().manual_seed(1)
    embeddings = walks(torch.tensor([0.9, 0.7, 0.2]))
    mixed = embeddings @ torch.randn(3, 3, generator=draw) + 5
    white = whitened(mixed.flatten(0, 1))
    torch.testing.assert_close(white.T @ white / len(white), torch.eye(3), atol=2e-3, rtol=0)
    torch.testing.assert_close(
        alignment(mixed, [1, 2]), alignment(embeddings, [1, 2]), rtol=2e-3, atol=0
    )


def test_a_lag_outside_the_window_is_refused() -> None:
    with pytest.raises(ValueError, match=r"lags in 1\.\.5, got \(6,\)"):
        alignment(walks(torch.ones(2)), (6,))
    with pytest.raises(ValueError, match=r"warm_start_lags in 1\.\.3, below window_frames"):
        TrainingConfig(window_frames=4, warm_start=0.2)
    with pytest.raises(ValueError, match="warm_start in"):
        TrainingConfig(warm_start=1.0)


def test_each_part_has_a_learning_rate_curve_of_its_own() -> None:
    config = TrainingConfig(steps=1000, warm_start=0.3)
    alone = [TrainingConfig(steps=300), TrainingConfig(steps=700)]
    expected = [learning_rate_factor(step, part) for part in alone for step in range(part.steps)]
    assert [learning_rate_factor(step, config) for step in range(1000)] == expected


def test_the_encoder_alone_learns_first(data: Path, tmp_path: Path, config: Config) -> None:
    trainer = Trainer(data, tmp_path / "run", config(steps=40, warm_start=0.5))
    before = {name: value.clone() for name, value in trainer.model.named_parameters()}
    reports = trainer.run()
    next(reports)
    second = next(reports)
    now = dict(trainer.model.named_parameters())
    moved = [name for name, value in before.items() if not torch.equal(value, now[name])]
    assert moved and all(name.startswith("encoder.") for name in moved)
    assert second.loss < 2 and math.isnan(second.one_step)
    assert math.isfinite(next(reports).one_step)
    learning = trainer.model.predictor.named_parameters(prefix="predictor")
    assert any(not torch.equal(value, before[name]) for name, value in learning)


def test_what_is_trained_further_needs_no_start(data: Path, tmp_path: Path, config: Config) -> None:
    list(Trainer(data, tmp_path / "first", config(steps=4, warm_start=0.5)).run())
    begin = tmp_path / "first" / "checkpoint"
    again = Trainer(data, tmp_path / "second", config(steps=4, warm_start=0.5), begin=begin)
    assert again.config.training.warm_start_steps == 0
    assert all(math.isfinite(report.one_step) for report in again.run())
