"""What is learned when: the warm start against closed forms, settling, and their schedule."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from agent.config import ExperimentConfig
from agent.data import RolloutStore, RolloutWriter
from agent.evaluation.provenance import origin_of
from agent.files.bundle import read_bundle
from agent.model.checkpoint import checkpoint_facts, load_checkpoint
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
    with pytest.raises(ValueError, match="leave some of the steps"):
        TrainingConfig(warm_start=0.5, settling=0.5)


def test_each_part_has_a_learning_rate_curve_of_its_own() -> None:
    config = TrainingConfig(steps=1000, warm_start=0.3, settling=0.2)
    parts = [(300, 1.0), (500, 1.0), (200, 0.5)]
    expected = [
        peak * learning_rate_factor(step, TrainingConfig(steps=steps))
        for steps, peak in parts
        for step in range(steps)
    ]
    assert [learning_rate_factor(step, config) for step in range(1000)] == expected


def test_one_network_learns_at_a_time_but_for_the_joint_part(
    data: Path, tmp_path: Path, config: Config
) -> None:
    trainer = Trainer(data, tmp_path / "run", config(steps=30, warm_start=1 / 3, settling=1 / 3))
    seen, reports = [everything(trainer)], []
    for report in trainer.run():
        seen.append(everything(trainer))
        reports.append(report)
    moved = [rooms(before, after) for before, after in itertools.pairwise(seen)]
    assert moved == [{"encoder"}, {"encoder", "predictor"}, {"predictor"}]
    assert math.isnan(reports[0].one_step) and reports[0].loss < 2
    assert math.isfinite(reports[1].sigreg)
    last = reports[2]
    assert math.isnan(last.sigreg) and last.loss == pytest.approx(last.one_step + last.multi_step)


@pytest.mark.parametrize(("asked", "drawn"), [(6, 6), (30, 21), (0, 5)])
def test_settling_has_windows_of_its_own_no_longer_than_an_episode(
    data: Path, tmp_path: Path, config: Config, asked: int, drawn: int
) -> None:
    settings = config(steps=4, settling=0.5, window_frames=5, settling_frames=asked)
    lessons = Trainer(data, tmp_path / "run", settings).lessons
    assert lessons.windows.sample(0).frames.shape[1] == 5
    assert lessons._settled.sample(0).frames.shape[1] == drawn


def test_settling_learns_from_the_many_not_from_the_longest(
    recording: Callable[[str], Path], tmp_path: Path, config: Config
) -> None:
    settings = config(steps=4, settling=0.5, window_frames=4, settling_frames=30)
    lessons = Trainer(recording("mixed"), tmp_path / "run", settings).lessons
    lengths = [len(states) for states in lessons.embedded()[1]]
    drawn = lessons._settled.drawing
    assert drawn.frames == 1 + (min(lengths) - 1) // lessons._block
    assert drawn.rows < max(lengths)


def everything(trainer: Trainer) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in trainer.model.state_dict().items()}


def rooms(before: dict[str, torch.Tensor], after: dict[str, torch.Tensor]) -> set[str]:
    """Which networks' tensors are not the same, BatchNorm's statistics included."""
    changed = {name for name, value in before.items() if not torch.equal(value, after[name])}
    return {name.split(".")[0] for name in changed} & {"encoder", "predictor"}


@pytest.mark.parametrize("reports_taken", [1, 2])
def test_any_part_goes_on_where_it_stopped(
    data: Path, tmp_path: Path, config: Config, reports_taken: int
) -> None:
    settings = config(steps=30, warm_start=0.4, settling=0.4)
    list(Trainer(data, tmp_path / "whole", settings).run())
    running = Trainer(data, tmp_path / "cut", settings).run()
    for _ in range(reports_taken):
        next(running)
    running.close()
    list(Trainer(data, tmp_path / "cut", settings, resume=True).run())
    whole, cut = (read_bundle(tmp_path / name / "checkpoint") for name in ("whole", "cut"))
    assert whole["model.safetensors"] == cut["model.safetensors"]


def test_what_is_trained_further_needs_no_start(data: Path, tmp_path: Path, config: Config) -> None:
    list(Trainer(data, tmp_path / "first", config(steps=4, warm_start=0.5)).run())
    begin = tmp_path / "first" / "checkpoint"
    again = Trainer(data, tmp_path / "second", config(steps=4, warm_start=0.5), begin=begin)
    assert again.config.training.main_steps.start == 0
    assert all(math.isfinite(report.one_step) for report in again.run())


def test_it_goes_on_where_the_new_recordings_know_no_states(
    data: Path, tmp_path: Path, config: Config
) -> None:
    known = RolloutStore.open(data)
    episodes = known.load()
    spec = dataclasses.replace(known.header.spec, state=())
    with RolloutWriter(tmp_path / "stateless", spec) as writer:
        for number in range(known.episode_count):
            rows = episodes.rows(number)
            writer.add(episodes.pixels[rows], episodes.action[rows][:-1])
    list(Trainer(data, tmp_path / "first", config(steps=4)).run())
    begin = tmp_path / "first" / "checkpoint"
    further = Trainer(tmp_path / "stateless", tmp_path / "second", config(steps=4), begin=begin)
    assert list(further.run())[-1].diagnostics is not None
    assert load_checkpoint(tmp_path / "second" / "checkpoint").spec.state == known.header.spec.state
    price = origin_of(checkpoint_facts(tmp_path / "second" / "checkpoint"))["bought_with"]
    assert price["env_steps"] == 2 * 8 * 40  # both data sets
    again = Trainer(data, tmp_path / "third", config(steps=4), begin=begin)
    assert again.model.spec == known.header.spec
