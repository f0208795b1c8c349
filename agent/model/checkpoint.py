"""A world model as a directory: ``config.json``, ``model.safetensors``, ``sight.npz`` (older ones
lack it), ``README.md`` (the model card) and ``manifest.json``. No pickle, so a stranger's
checkpoint cannot run code.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
from safetensors import SafetensorError

from agent.errors import DamagedDataError, UserError
from agent.files.bundle import bundle_sha256, read_bundle, write_bundle
from agent.model.description import CONFIG, SCHEMA, config_of, first_use
from agent.model.description import checkpoint_facts as checkpoint_facts
from agent.model.description import checkpoint_spec as checkpoint_spec
from agent.model.filling import filled
from agent.model.sight import SIGHT_FILE, sight_of
from agent.model.world_model import WorldModel, WorldModelConfig
from agent.settings import from_dict, leaves, to_dict
from envs import WorldSpec

checkpoint_sha256 = bundle_sha256


def save_checkpoint(directory: Path, model: WorldModel, facts: Mapping[str, Any]) -> None:
    """Write ``model`` to ``directory``; ``facts`` (JSON values) say how it was made.

    Raises:
        UserError: if something other than a checkpoint lies there.
    """
    config = {
        "schema": SCHEMA,
        "world": model.spec.to_json(),
        "model": to_dict(model.config),
        "facts": dict(facts),
    }
    tensors = {name: value.contiguous() for name, value in model.state_dict().items()}
    files = {
        CONFIG: json.dumps(config, indent=2).encode(),
        "model.safetensors": safetensors.torch.save(tensors),
        "README.md": model_card(model, facts).encode(),
    }
    if model.sight is not None:
        files[SIGHT_FILE] = model.sight.to_bytes()
    write_bundle(directory, files)


def load_checkpoint(directory: Path) -> WorldModel:
    """The world model in ``directory``, in evaluation mode.

    Raises:
        UserError: if there is no checkpoint, or one of another schema.
        DamagedDataError: if it is not what its manifest says, or does not fit its config.
    """
    files = read_bundle(directory)
    config = config_of(directory, files)
    try:
        spec = WorldSpec.from_json(config["world"])
        settings = from_dict(WorldModelConfig, config["model"])
        weights = files.get("model.safetensors", b"")
        model = filled(lambda: WorldModel(settings, spec), weights)
    except (SafetensorError, RuntimeError, OverflowError) as error:
        raise DamagedDataError(f"{directory}: weights do not fit config.json ({error})") from error
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{directory}: config.json is not of this version ({error})") from error
    model.sight = sight_of(directory, files)
    return model


def model_card(model: WorldModel, facts: Mapping[str, Any]) -> str:
    """The checkpoint's README."""
    rows = "\n".join(f"| {name} | {_brief(value)} |" for name, value in leaves(facts))
    spec, (height, width) = model.spec, model.spec.image_size
    use = first_use(spec, "THIS_DIRECTORY")
    use += "" if spec.is_recording else " --goal-seed 7 --video runs/out.webm"
    return f"""# LeJEPA world model of {spec.world}

Predicts the embedding of the camera image {model.model_step_s:.2f} s ahead from the last
{model.context} embeddings and the actions between. Learned from `{spec.look}` frames of
{width} x {height} px and actions alone: no reward, no state, no decoder. `env_steps` are those it
learned from; some of the recorded episodes were held out.

Use: `{use}`.
Not for: other worlds, cameras or looks. Licence: MIT.

| fact | value |
|---|---|
{rows}
"""


def _brief(value: Any) -> str:
    return json.dumps(value) if isinstance(value, (dict, list)) else str(value)


def has_untaught_head(model: WorldModel, directory: Path) -> bool:
    """Whether ``model``, read from ``directory``, has an action head that learned nothing yet.

    Raises:
        UserError: if there is no checkpoint.
        DamagedDataError: if it is not what its manifest says.
    """
    return model.head is not None and "head" not in checkpoint_facts(directory)
