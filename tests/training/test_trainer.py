"""Training from a data set to a checkpoint, and what stops it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from agent.config import ExperimentConfig, preset
from agent.data import RolloutStore, RolloutWriter
from agent.errors import UserError
from agent.files.bundle import has_bundle
from agent.model.checkpoint import checkpoint_facts, checkpoint_sha256, load_checkpoint
from agent.training.trainer import Trainer, TrainingStoppedError
from envs import WorldSpec

Config = Callable[..., ExperimentConfig]
Recording = Callable[[str], Path]


def test_trains_reports_and_writes_a_checkpoint(data: Path, tmp_path: Path, config: Config) -> None:
    settings = config(steps=40, diagnose_every=25)
    reports = list(Trainer(data, tmp_path / "run", settings).run())
    assert [report.step for report in reports] == [10, 20, 25, 30, 40]
    assert [report.step for report in reports if report.diagnostics] == [25, 40]
    for report in reports:
        weighted = report.one_step + report.multi_step + 0.1 * report.sigreg
        assert report.loss == pytest.approx(weighted, rel=1e-4)
        assert report.total_steps == 40 and report.frames_per_s > 0
    assert reports[-1].loss < reports[0].loss
    assert reports[-1].seconds >= reports[0].seconds

    checkpoint = tmp_path / "run" / "checkpoint"
    model = load_checkpoint(checkpoint)
    trained_on = RolloutStore.open(data).header.spec
    assert model.config == settings.model and model.spec == trained_on
    assert not torch.equal(model.goal_metric, torch.eye(model.latent_dim))
    assert model.encoder.pixel_mean.std() > 0
    facts = checkpoint_facts(checkpoint)
    assert facts["env_steps"] == 6 * 40  # of 8 episodes 2 are held out
    assert facts["peak_memory_mb"] > 10  # megabytes: an interpreter alone takes as much
    assert facts["training"]["steps"] == 40
    assert facts["data"]["spec"] == trained_on.to_json()
    assert facts["diagnostics"]["probe_r2"].keys() == reports[-1].diagnostics.probe_r2.keys()


def test_same_seed_same_weights_other_seed_others(
    data: Path, tmp_path: Path, config: Config
) -> None:
    weights = []
    for run, seed in enumerate((1, 1, 2)):
        torch.manual_seed(run)  # the global stream must not matter
        list(Trainer(data, tmp_path / str(run), config(steps=5, seed=seed)).run())
        weights.append((tmp_path / str(run) / "checkpoint" / "model.safetensors").read_bytes())
    assert weights[0] == weights[1] != weights[2]


def test_the_global_random_stream_is_left_alone(data: Path, tmp_path: Path, config: Config) -> None:
    before = torch.get_rng_state()
    list(Trainer(data, tmp_path / "run", config(steps=3)).run())
    assert torch.equal(before, torch.get_rng_state())


def test_held_out_episodes_are_not_trained_on(data: Path, tmp_path: Path, config: Config) -> None:
    trainer = Trainer(data, tmp_path / "run", config())
    held_out = trainer.episodes.rows(6).start  # and all that follows
    before = trainer.model.encoder.pixel_mean.clone()
    windows = trainer.lessons.windows
    seen = [windows.sample(step).frames for step in range(50)]
    trainer.episodes.pixels[held_out:] = 255
    assert torch.equal(before, Trainer(data, tmp_path / "b", config()).model.encoder.pixel_mean)
    assert all((windows.sample(step).frames == seen[step]).all() for step in range(50))


def test_nan_in_the_loss_stops_with_the_step(data: Path, tmp_path: Path, config: Config) -> None:
    trainer = Trainer(data, tmp_path / "run", config(save_every=5))
    step = trainer.optimiser.step

    def spoiling(loss: torch.Tensor, number: int) -> None:
        step(loss, number)
        if number == 12:
            trainer.model.predictor.read.weight.data[0, 0] = torch.nan

    trainer.optimiser.step = spoiling  # type: ignore[method-assign]
    reports = trainer.run()
    assert next(reports).step == 10
    with pytest.raises(TrainingStoppedError, match=r"one-step error.* at step 13.*training_state"):
        next(reports)
    # What was saved is still the good state.
    resumed = Trainer(data, tmp_path / "run", config(save_every=5), resume=True)
    assert resumed.step == 10
    assert all(value.isfinite().all() for value in resumed.model.state_dict().values())


def test_nan_in_the_gradient_stops_before_the_weights(
    data: Path, tmp_path: Path, config: Config
) -> None:
    trainer = Trainer(data, tmp_path / "run", config())
    trainer.model.predictor.read.weight.register_hook(lambda gradient: gradient * torch.nan)
    with pytest.raises(TrainingStoppedError, match="gradient became NaN or infinite at step 0"):
        next(trainer.run())
    assert all(parameter.isfinite().all() for parameter in trainer.model.parameters())


def test_collapse_stops_with_the_step_and_the_rank(
    data: Path, tmp_path: Path, config: Config
) -> None:
    trainer = Trainer(
        data,
        tmp_path / "run",
        config(diagnose_every=12, learning_rate=1e-9, matrix_learning_rate=1e-9),
    )
    head = trainer.model.encoder.network[-2]
    with torch.no_grad():  # every number of the embedding is now the same one
        head.weight.copy_(head.weight[:1].expand_as(head.weight))
        head.bias.copy_(head.bias[:1].expand_as(head.bias))
    reports = trainer.run()
    assert next(reports).step == 10
    with pytest.raises(TrainingStoppedError, match=r"collapsed by step 12: effective rank 1\.\d+ "):
        next(reports)
    assert not has_bundle(tmp_path / "run" / "checkpoint")


def test_windows_must_hold_more_than_the_context(
    data: Path, tmp_path: Path, config: Config
) -> None:
    with pytest.raises(UserError, match=r"--training\.window-frames above the context of 3"):
        Trainer(data, tmp_path / "run", config(window_frames=3))
    with pytest.raises(UserError, match=r"--training\.settling-frames above the context of 3"):
        Trainer(data, tmp_path / "run", config(settling=0.5, settling_frames=3))


def test_windows_must_fit_in_an_episode(data: Path, tmp_path: Path, config: Config) -> None:
    with pytest.raises(UserError, match="window of 30 frames"):
        Trainer(data, tmp_path / "run", config(window_frames=30))


def test_a_directory_with_a_run_is_not_overwritten(
    data: Path, tmp_path: Path, config: Config
) -> None:
    list(Trainer(data, tmp_path / "run", config(steps=2)).run())
    with pytest.raises(UserError, match="--resume"):
        Trainer(data, tmp_path / "run", config(steps=2))


def test_there_must_be_something_to_resume(data: Path, tmp_path: Path, config: Config) -> None:
    with pytest.raises(UserError, match="nothing to resume"):
        Trainer(data, tmp_path / "run", config(), resume=True)


def test_no_data_is_the_users_mistake(tmp_path: Path, config: Config) -> None:
    with pytest.raises(UserError, match="nowhere"):
        Trainer(tmp_path / "nowhere", tmp_path / "run", config())


@pytest.mark.parametrize("kind", ["one-action", "wide", "mixed"])
def test_any_world_is_learned_from(
    kind: str, recording: Recording, tmp_path: Path, config: Config
) -> None:
    data = recording(kind)
    settings = config(steps=10, window_frames=5)
    last = list(Trainer(data, tmp_path / "run", settings).run())[-1]
    model = load_checkpoint(tmp_path / "run" / "checkpoint")
    spec = RolloutStore.open(data).header.spec
    assert model.spec == spec and model.action_width == 2 * spec.action_dim
    assert model.encode(torch.zeros(spec.frame_shape, dtype=torch.uint8)).isfinite().all()
    expected = {"sin angle", "cos angle", "height"} if spec.state else set()
    assert last.diagnostics is not None and last.diagnostics.probe_r2.keys() == expected


def test_going_on_begins_with_the_weights_and_the_network(
    data: Path, tmp_path: Path, config: Config
) -> None:
    list(Trainer(data, tmp_path / "first", config(steps=4)).run())
    begin = tmp_path / "first" / "checkpoint"
    other = dataclasses.replace(config(steps=12), model=preset("default").model)
    trainer = Trainer(data, tmp_path / "second", other, begin=begin)
    before = load_checkpoint(begin)
    assert trainer.step == 0 and trainer.config.model == before.config != other.model
    after = trainer.model.state_dict()
    assert all(torch.equal(after[name], value) for name, value in before.state_dict().items())
    running = trainer.run()
    assert next(running).step == 10
    running.close()
    list(Trainer(data, tmp_path / "second", other, resume=True, begin=begin).run())
    facts = checkpoint_facts(tmp_path / "second" / "checkpoint")
    assert facts["begun_from"] == checkpoint_sha256(begin)
    list(Trainer(data, tmp_path / "whole", other, begin=begin).run())
    ends = [load_checkpoint(tmp_path / run / "checkpoint") for run in ("second", "whole")]
    resumed, whole = (end.state_dict() for end in ends)
    assert all(torch.equal(resumed[name], value) for name, value in whole.items())


def test_resuming_without_what_it_began_from_is_refused(
    data: Path, tmp_path: Path, config: Config
) -> None:
    list(Trainer(data, tmp_path / "first", config(steps=2)).run())
    Trainer(data, tmp_path / "run", config(), begin=tmp_path / "first" / "checkpoint").save()
    with pytest.raises(UserError, match="this run without --from"):
        Trainer(data, tmp_path / "run", config(), resume=True)


def test_going_on_in_another_world_is_refused(
    data: Path, recording: Recording, tmp_path: Path, config: Config
) -> None:
    list(Trainer(data, tmp_path / "first", config(steps=2)).run())
    begin = tmp_path / "first" / "checkpoint"
    with pytest.raises(
        UserError, match=r"expected world = 'recorded:spots', got 'recorded:wide'.*--world"
    ):
        Trainer(recording("wide"), tmp_path / "run", config(), begin=begin)
    assert not (tmp_path / "run").exists()


def test_what_can_be_measured_on_is_held_out(
    recording: Recording, tmp_path: Path, config: Config
) -> None:
    trainer = Trainer(recording("short-last"), tmp_path / "run", config(steps=4))
    assert trainer.held_out_ids.tolist() == [5, 6]
    assert list(trainer.run())[-1].diagnostics is not None
    assert checkpoint_facts(tmp_path / "run" / "checkpoint")["env_steps"] == 5 * 20 + 4 + 3


def test_episodes_too_short_to_measure_on_are_refused_at_once(
    recording: Recording, tmp_path: Path, config: Config
) -> None:
    data = recording("short")
    with pytest.raises(UserError, match=f"episodes of 7 frames or more in {data}.*none above 4"):
        Trainer(data, tmp_path / "run", config())


@pytest.mark.parametrize("shades", [[7] * 6, list(range(6))])
def test_pictures_that_never_change_are_told_of_before_training(
    shades: list[int], tmp_path: Path, config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    data, spec = tmp_path / "data", WorldSpec("recorded:still", "drawn", (16, 16), 2, 0.04)
    with RolloutWriter(data, spec) as writer:
        for shade in shades:
            writer.add(np.full((21, 16, 16, 3), shade, np.uint8), np.zeros((20, 2)))
    if len(set(shades)) > 1:
        Trainer(data, tmp_path / "run", config())
        assert f"episodes of {data} seem to stand still" in caplog.text
        assert f"the actions of {data} never vary" in caplog.text
        return
    with pytest.raises(UserError, match=f"frames that change in {data}, got the same picture"):
        Trainer(data, tmp_path / "run", config())


def test_lags_that_no_episode_has_are_named(data: Path, tmp_path: Path, config: Config) -> None:
    settings = config(warm_start=0.5, warm_start_lags=(100,))
    with pytest.raises(UserError, match=r"shorter lags \(--training\.warm-start-lags\)"):
        Trainer(data, tmp_path / "run", settings)
