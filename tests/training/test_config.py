"""Settings: presets that hold, a round trip through JSON, and typos that are named."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from agent.config import PRESETS, ExperimentConfig, preset
from agent.errors import UserError
from agent.model.encoder import EncoderConfig
from agent.model.predictor import PredictorConfig
from agent.model.world_model import WorldModel, WorldModelConfig
from agent.settings import from_dict, to_dict
from agent.training.settings import HeadTraining, TrainingConfig
from envs import WorldSpec


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_a_preset_builds_a_model_and_survives_json(name: str) -> None:
    config = preset(name)
    assert from_dict(ExperimentConfig, json.loads(json.dumps(to_dict(config)))) == config
    assert config.training.window_frames > config.model.predictor.context
    side = 224 if name == "lewm-224" else 64
    spec = WorldSpec("recorded:noise", "drawn", (side, side), 3, 0.05)
    assert WorldModel(config.model, spec).latent_dim == config.model.encoder.latent_dim


def test_settings_cannot_be_changed_by_accident() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        preset("tiny").training.steps = 1  # type: ignore[misc]


def test_a_misspelt_preset_is_told_the_nearest() -> None:
    with pytest.raises(UserError, match="did you mean 'default'"):
        preset("defualt")


@pytest.mark.parametrize(
    ("values", "nearest"),
    [
        ({"trainning": {}}, "training"),
        ({"training": {"sigreg_wieght": 0.1}}, "sigreg_weight"),
        ({"model": {"encoder": {"latent_dims": 3}}}, "latent_dim"),
    ],
)
def test_an_unknown_key_is_told_the_nearest(values: dict[str, Any], nearest: str) -> None:
    with pytest.raises(UserError, match=f"unknown setting .* did you mean '{nearest}'"):
        from_dict(ExperimentConfig, values)


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"training": {"steps": 0}}, "steps >= 1"),
        ({"training": {"steps": 3.7}}, "3.7"),
        ({"training": {"steps": "many"}}, "many"),
        ({"training": 5}, "TrainingConfig"),
        ({"model": {"encoder": {"channels": [8, 8]}}}, "channels"),
        ({"model": {"encoder": {"image_size": 64}}}, "image_size"),
        ({"model": {"action_block": 0}}, "action_block"),
    ],
)
def test_a_value_that_makes_no_sense_is_the_users_mistake(
    values: dict[str, Any], named: str
) -> None:
    with pytest.raises(UserError, match=named):
        from_dict(ExperimentConfig, values)


@pytest.mark.parametrize(
    "wrong",
    [
        {"batch": 0},
        {"threads": 0},
        {"sigreg_directions": 0},
        {"learning_rate": 0.0},
        {"matrix_learning_rate": float("nan")},
        {"gradient_clip": -1.0},
        {"sigreg_weight": -0.1},
        {"seed": -1},
        {"window_frames": 1},
        {"warmup_fraction": 1.0},
    ],
    ids=str,
)
def test_training_settings_are_checked_when_built(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"expected {next(iter(wrong))}"):
        TrainingConfig(**wrong)


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        (HeadTraining, {"learning_rate": float("nan")}),
        (HeadTraining, {"effort": -5.0}),
        (HeadTraining, {"change": float("inf")}),
        (TrainingConfig, {"memory_gb": float("inf")}),
        (EncoderConfig, {"hidden": 0}),
        (EncoderConfig, {"channels": (0, 8, 8)}),
        (PredictorConfig, {"width": 0}),
        (WorldModelConfig, {"plain_share": float("inf")}),
    ],
    ids=str,
)
def test_sizes_and_weights_are_checked_when_built(kind: type, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"expected .*{next(iter(wrong))}"):
        kind(**wrong)
