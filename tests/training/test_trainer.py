"""Training from a data set to a checkpoint, and what stops it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from agent.config import ExperimentConfig
from agent.data import CollectConfig, RolloutStore
from agent.errors import UserError
from agent.model.bundle import has_bundle
from agent.model.checkpoint import checkpoint_facts, load_checkpoint
from agent.training.trainer import Trainer, TrainingStoppedError

Config = Callable[..., ExperimentConfig]


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
    assert model.config == settings.model
    assert not torch.equal(model.goal_metric, torch.eye(model.latent_dim))
    assert model.encoder.pixel_mean.std() > 0
    facts = checkpoint_facts(checkpoint)
    assert facts["env_steps"] == 6 * 40  # of 8 episodes 2 are held out
    assert facts["peak_memory_mb"] > 10  # megabytes: an interpreter alone takes as much
    assert facts["training"]["steps"] == 40
    assert facts["data"]["render_profile"] == "fast"
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
    seen = [trainer.sampler.sample(step).frames for step in range(50)]
    trainer.episodes.pixels[held_out:] = 255
    assert torch.equal(before, Trainer(data, tmp_path / "b", config()).model.encoder.pixel_mean)
    assert all((trainer.sampler.sample(step).frames == seen[step]).all() for step in range(50))


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


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"render_profile": "dmc"}, "render_profile='dmc'.*'fast'"),
        ({"action_repeat": 4}, "action_repeat=4.*got 2"),
        ({"physics_dt_s": 0.01}, "physics_dt_s=0.01"),
    ],
)
def test_a_model_of_another_world_is_refused(
    data: Path, tmp_path: Path, config: Config, change: dict[str, object], named: str
) -> None:
    settings = config()
    wrong = dataclasses.replace(settings, model=dataclasses.replace(settings.model, **change))
    with pytest.raises(UserError, match=named):
        Trainer(data, tmp_path / "run", wrong)
    assert not (tmp_path / "run").exists()


def test_windows_must_hold_more_than_the_context(
    data: Path, tmp_path: Path, config: Config
) -> None:
    with pytest.raises(UserError, match="window_frames > context=3, got 3"):
        Trainer(data, tmp_path / "run", config(window_frames=3))


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


def test_the_fixture_is_what_the_tests_count_on(data: Path) -> None:
    store = RolloutStore.open(data)
    assert (store.episode_count, store.header.image_size) == (8, CollectConfig(data).image_size)
