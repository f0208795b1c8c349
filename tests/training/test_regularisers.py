"""VICReg's closed forms, SIGReg per step, and training by each recipe."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from agent.config import ExperimentConfig, preset
from agent.errors import UserError
from agent.files.bundle import read_bundle, write_bundle
from agent.model.checkpoint import load_checkpoint
from agent.model.sigreg import SIGReg
from agent.model.transformer import TransformerConfig
from agent.model.vit import ViTConfig
from agent.model.world_model import WorldModel, WorldModelConfig
from agent.training.objective import one_step_error, regularised_loss
from agent.training.optimiser import WorldModelOptimiser
from agent.training.regularisers import (
    COVARIANCE_SHARE,
    covariance_term,
    make_regulariser,
    variance_term,
    vicreg,
    weight_at,
)
from agent.training.settings import TrainingConfig
from agent.training.trainer import Trainer
from envs import WorldSpec

Config = Callable[..., ExperimentConfig]
SPEC = WorldSpec("recorded:noise", "drawn", (16, 16), 2, 0.04)


def whitened(samples: int, dim: int) -> torch.Tensor:
    """(N, D) with covariance exactly 1."""
    draw = torch.Generator().manual_seed(0)
    noise = torch.randn(samples, dim, generator=draw, dtype=torch.float64)
    centred = noise - noise.mean(0)
    return torch.linalg.qr(centred).Q * (samples - 1) ** 0.5


def test_white_embeddings_cost_nothing() -> None:
    white = whitened(200, 5)
    assert variance_term(white) == 0
    assert covariance_term(white) < 1e-20
    assert vicreg(white.reshape(50, 4, 5)) < 1e-20


def test_a_collapsed_batch_costs_what_the_floor_leaves() -> None:
    still = torch.ones(64, 5)
    assert float(variance_term(still)) == pytest.approx(1 - 0.01)  # 1 − √ε
    assert float(covariance_term(still)) == 0


@pytest.mark.parametrize("scale", [0.25, 0.5, 2.0])
def test_the_variance_term_is_a_hinge(scale: float) -> None:
    expected = max(0.0, 1 - (scale**2 + 1e-4) ** 0.5)
    assert float(variance_term(scale * whitened(100, 3))) == pytest.approx(expected)


@pytest.mark.parametrize("dim", [2, 5])
def test_copies_of_one_number_cost_every_pair(dim: int) -> None:
    """All covariances are 1: D·(D−1) pairs, divided by D."""
    same = whitened(100, 1).expand(-1, dim)
    assert float(covariance_term(same)) == pytest.approx(dim - 1)
    assert float(vicreg(same[:, None])) == pytest.approx(COVARIANCE_SHARE * (dim - 1))


def test_a_shift_and_a_new_order_change_nothing() -> None:
    flat = torch.randn(60, 4, generator=torch.Generator().manual_seed(3)) * 0.7
    moved = flat.flip(0) + 5.0
    torch.testing.assert_close(vicreg(flat[:, None]), vicreg(moved[:, None]), atol=1e-5, rtol=1e-5)


def test_per_step_judges_each_time_on_its_own() -> None:
    """Each time is Gaussian, about another centre: together they are not."""
    draw = torch.Generator().manual_seed(0)
    embeddings = torch.randn(256, 4, 3, generator=draw)
    regularise = make_regulariser(TrainingConfig(regulariser="sigreg-per-step"))
    still = regularise(embeddings, torch.Generator().manual_seed(1))
    assert float(still) == pytest.approx(1.05, abs=0.3)
    one_at_a_time = torch.Generator().manual_seed(1)
    expected = [SIGReg(64)(embeddings[:, t], one_at_a_time) for t in range(4)]
    torch.testing.assert_close(still, torch.stack(expected).mean())


def small() -> WorldModel:
    encoder = ViTConfig(latent_dim=4, patch_size=8, width=6, depth=1, heads=1, projector_width=8)
    predictor = TransformerConfig(
        width=6, depth=1, heads=1, head_width=4, hidden=8, projector_width=8
    )
    return WorldModel(WorldModelConfig(encoder, predictor, action_block=5), SPEC).eval()


def test_a_causal_predictor_learns_after_every_frame() -> None:
    model = small()
    embeddings, actions = torch.randn(3, 5, 4), torch.randn(3, 4, 10)
    expected = []
    for start in range(2):  # windows of 3 frames
        for length in range(1, 4):
            span = slice(start, start + length)
            following = model.predictor(embeddings[:, span], actions[:, span])
            expected.append(F.mse_loss(following, embeddings[:, start + length]))
    found = one_step_error(model, embeddings, actions, every_frame=True)
    torch.testing.assert_close(found, torch.stack(expected).mean())


def test_without_the_multi_step_error_the_loss_has_two_terms() -> None:
    model, frames = small(), torch.randint(0, 256, (3, 4, 16, 16, 3), dtype=torch.uint8)
    terms = regularised_loss(
        model, lambda z, g: vicreg(z, g), frames, torch.randn(3, 3, 10), 0.5, None, False
    )
    assert terms.multi_step == 0
    torch.testing.assert_close(terms.total, terms.one_step + 0.5 * terms.sigreg)


def test_the_recipe_s_optimiser_has_no_muon_and_decays_weights() -> None:
    config = preset("lewm").training
    optimiser = WorldModelOptimiser(small(), config)
    assert list(optimiser.parts) == ["adamw"]
    (group,) = optimiser.parts["adamw"].param_groups
    assert (group["lr"], group["weight_decay"]) == (5e-5, 1e-3)
    assert len(group["params"]) == len(optimiser.parameters)


@pytest.mark.parametrize("name", ["lewm-tiny", "vicreg"])
def test_a_recipe_trains_resumes_exactly_and_leaves_the_global_stream_alone(
    name: str, data: Path, tmp_path: Path, config: Config
) -> None:
    """Dropout included: what is random is a function of the seed and the step."""
    settings = config(steps=12, regulariser="vicreg")
    if name == "lewm-tiny":
        recipe = preset(name)
        run = {"steps": 12, "threads": 1, "holdout_fraction": 0.25, "diagnose_every": 1000}
        settings = replace(recipe, training=replace(recipe.training, **run))
    before = torch.get_rng_state()
    list(Trainer(data, tmp_path / "whole", settings).run())
    assert torch.equal(before, torch.get_rng_state())
    broken = Trainer(data, tmp_path / "broken", settings).run()
    assert next(broken).step == 10
    broken.close()
    list(Trainer(data, tmp_path / "broken", settings, resume=True).run())
    weights = [
        read_bundle(tmp_path / run / "checkpoint")["model.safetensors"]
        for run in ("whole", "broken")
    ]
    assert weights[0] == weights[1]
    assert load_checkpoint(tmp_path / "whole" / "checkpoint").config == settings.model


def test_the_recipe_learns_actions_in_training_units(
    data: Path, tmp_path: Path, config: Config
) -> None:
    settings = ExperimentConfig(preset("lewm-tiny").model, config(window_frames=4).training)
    trainer = Trainer(data, tmp_path / "run", settings)
    span = slice(0, trainer.episodes.rows(5).stop)  # of 8 episodes 2 are held out
    expected = trainer.episodes.action[span]
    torch.testing.assert_close(
        trainer.model.predictor.action_mean,  # type: ignore[union-attr]
        torch.from_numpy(expected[~torch.from_numpy(expected).isnan().any(1).numpy()].mean(0)).repeat(5),
        atol=1e-5, rtol=1e-4,
    )  # fmt: skip


def test_a_state_older_than_a_setting_resumes_at_its_default(
    data: Path, tmp_path: Path, config: Config
) -> None:
    running = Trainer(data, tmp_path, config()).run()
    next(running)
    running.close()
    files = read_bundle(tmp_path / "training_state")
    facts = json.loads(files["state.json"])
    later = ("regulariser", "multi_step", "optimiser", "weight_decay", "device", "precision")
    for name in later:
        del facts["identity"]["training"][name]
    write_bundle(tmp_path / "training_state", {**files, "state.json": json.dumps(facts).encode()})
    assert Trainer(data, tmp_path, config(), resume=True).step == 10
    with pytest.raises(UserError, match=r"regulariser='sigreg', this run has 'vicreg'"):
        Trainer(data, tmp_path, config(regulariser="vicreg"), resume=True)


def test_a_device_that_is_not_there_is_the_users_mistake(
    data: Path, tmp_path: Path, config: Config
) -> None:
    for name in ("cuda:77", "abacus", "meta", "mps", "xla"):
        with pytest.raises(UserError, match=f"got '{name}'"):
            Trainer(data, tmp_path, config(device=name))


def test_half_the_precision_learns_nearly_the_same(
    data: Path, tmp_path: Path, config: Config
) -> None:
    losses, weights = [], []
    for precision in ("float32", "bfloat16"):
        trainer = Trainer(data, tmp_path / precision, config(precision=precision))
        losses.append(next(trainer.run()).loss)
        weights.append(trainer.model.predictor.read.weight.detach())  # type: ignore[union-attr]
    assert losses[1] == pytest.approx(losses[0], rel=0.02)
    assert losses[1] != losses[0] and not torch.equal(*weights)
    assert weights[1].dtype == torch.float32


def test_half_the_precision_serves_every_part_of_a_training(
    data: Path, tmp_path: Path, config: Config
) -> None:
    parts = {"warm_start": 0.25, "settling": 0.25, "steps": 12, "precision": "bfloat16"}
    trainer = Trainer(data, tmp_path, config(**parts))
    assert list(trainer.run())[-1].step == 12
    embeddings, _ = trainer.lessons.embedded()
    trainer.model.eval()
    again = trainer.model.encode(torch.from_numpy(trainer.episodes.pixels[:5]))
    torch.testing.assert_close(again, torch.from_numpy(embeddings[0][:5]))


@pytest.mark.parametrize(
    "wrong", [{"regulariser": "sigrag"}, {"optimiser": "sgd"}, {"precision": "half"}], ids=str
)
def test_unknown_choices_are_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=f"expected {next(iter(wrong))}"):
        TrainingConfig(**wrong)  # type: ignore[arg-type]


def test_the_weight_fades_over_the_main_steps() -> None:
    config = TrainingConfig(steps=101, warm_start=20 / 101, sigreg_weight=0.5, sigreg_fade=0.2)
    assert [weight_at(step, config) for step in (0, 20)] == [0.5, 0.5]
    assert weight_at(60, config) == pytest.approx(0.3)
    assert weight_at(100, config) == pytest.approx(0.1)
    assert weight_at(50, TrainingConfig(steps=100)) == TrainingConfig().sigreg_weight
    with pytest.raises(ValueError, match="sigreg_fade in"):
        TrainingConfig(sigreg_fade=1.5)
