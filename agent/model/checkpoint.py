"""A world model as a directory: ``config.json``, ``model.safetensors``, ``README.md`` (the model
card) and ``manifest.json``. No pickle, so a stranger's checkpoint cannot run code.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError

from agent.errors import DamagedDataError, UserError
from agent.model.bundle import bundle_sha256, read_bundle, write_bundle
from agent.model.head import HeadConfig
from agent.model.registry import encoder_config, predictor_config
from agent.model.world_model import WorldModel, WorldModelConfig

SCHEMA = "lejepa-agent/world-model/1"

checkpoint_sha256 = bundle_sha256


def save_checkpoint(directory: Path, model: WorldModel, facts: Mapping[str, Any]) -> None:
    """Write ``model`` to ``directory``; ``facts`` (JSON values) say how it was made.

    Raises:
        UserError: if something other than a checkpoint lies there.
    """
    config = {
        "schema": SCHEMA,
        "model": dataclasses.asdict(model.config),
        "facts": dict(facts),
    }
    files = {
        "config.json": json.dumps(config, indent=2).encode(),
        "model.safetensors": safetensors.torch.save(_tensors(model)),
        "README.md": model_card(model.config, facts).encode(),
    }
    write_bundle(directory, files)


def load_checkpoint(directory: Path) -> WorldModel:
    """The world model in ``directory``, in evaluation mode.

    Raises:
        UserError: if there is no checkpoint, or one of another schema.
        DamagedDataError: if it is not what its manifest says, or does not fit its config.
    """
    files = read_bundle(directory)
    config = _config_of(directory, files)
    model = WorldModel(_world_model_config(directory, config["model"]))
    try:
        model.load_state_dict(safetensors.torch.load(files["model.safetensors"]))
    except (SafetensorError, RuntimeError, KeyError) as error:
        raise DamagedDataError(f"{directory}: weights do not fit config.json ({error})") from error
    return model.eval()


def checkpoint_facts(directory: Path) -> dict[str, Any]:
    """What :func:`save_checkpoint` was told; same errors as :func:`load_checkpoint`."""
    facts: dict[str, Any] = _config_of(directory, read_bundle(directory))["facts"]
    return facts


def model_card(config: WorldModelConfig, facts: Mapping[str, Any]) -> str:
    """The checkpoint's README."""
    rows = "\n".join(f"| {name} | {_brief(value)} |" for name, value in facts.items())
    return f"""# LeJEPA world model of Reacher

Predicts the embedding of the camera image {config.model_step_s:.2f} s ahead from the last
{config.predictor.context} embeddings and the torques between. Learned from
`{config.render_profile}` frames of {config.encoder.image_size} px and torques alone: no reward, no
joint angles, no decoder.

Use: `python run_agent.py control --checkpoint THIS_DIRECTORY --goal-seed 7 --video out.webm`.
Not for: other arms, cameras or render profiles. Licence: MIT.

| fact | value |
|---|---|
{rows}
"""


def _brief(value: Any) -> str:
    return json.dumps(value) if isinstance(value, (dict, list)) else str(value)


def _tensors(model: WorldModel) -> dict[str, torch.Tensor]:
    return {name: value.contiguous() for name, value in model.state_dict().items()}


def _config_of(directory: Path, files: Mapping[str, bytes]) -> dict[str, Any]:
    try:
        config: dict[str, Any] = json.loads(files["config.json"])
        schema, _, _ = config["schema"], config["model"], config["facts"]
    except (KeyError, ValueError, TypeError) as error:
        raise UserError(
            f"expected a world model in {directory}, got a checkpoint of another kind or a damaged "
            f"config.json ({error!r}): name a directory that `train` wrote"
        ) from error
    if schema != SCHEMA:
        raise UserError(f"{directory}: expected schema {SCHEMA!r}, got {schema!r}")
    return config


def _world_model_config(directory: Path, values: Mapping[str, Any]) -> WorldModelConfig:
    try:
        parts = ("encoder", "predictor", "head")
        rest = {key: value for key, value in values.items() if key not in parts}
        if "head" in values:  # models made before there were heads have none
            rest["head"] = HeadConfig(**values["head"])
        encoder = encoder_config(values["encoder"])
        predictor = predictor_config(values["predictor"])
        return WorldModelConfig(encoder, predictor, **rest)
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{directory}: config.json is not of this version ({error})") from error
