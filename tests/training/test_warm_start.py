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


def pairs(keep: torch.Tensor, count: int = 8000) -> torch.Tensor:
    """Pairs (P, 2, D) of unit variance whose ends correlate as ``keep`` (D,) says."""
    draw = torch.Generator().manual_seed(0)
    before, noise = torch.randn(2, count, len(keep), generator=draw)
    return torch.stack([before, keep * before + (1 - keep**2).sqrt() * noise], 1)


def test_a_pair_is_as_far_apart_as_its_correlation_says() -> None:
    keep = torch.tensor([0.9, 0.5, 0.0])
    assert float(alignment(pairs(keep))) == pytest.approx(float(2 - 2 * keep.mean()), rel=0.02)


def test_whitening_makes_unit_covariance_and_forgets_every_linear_map() -> None:
    embeddings = pairs(torch.tensor([0.9, 0.7, 0.2]))
    mixed = embeddings @ torch.randn(3, 3, generator=torch.Generator().manual_seed(1)) + 5
    white = whitened(mixed.flatten(0, 1))
    torch.testing.assert_close(white.T @ white / len(white), torch.eye(3), atol=2e-3, rtol=0)
    torch.testing.assert_close(alignment(mixed), alignment(embeddings), rtol=2e-3, atol=0)


def test_bad_settings_are_refused() -> None:
    with pytest.raises(ValueError, match=r"warm_start_lags >= 1, got \(0,\)"):
        TrainingConfig(warm_start_lags=(0,))
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
