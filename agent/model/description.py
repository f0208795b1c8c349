"""What a checkpoint says of itself, read without torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from shlex import quote
from typing import Any

from agent.errors import UserError
from agent.files.bundle import read_bundle
from envs import (
    FIRST_SCHEMA_FIELDS,
    WorldSpec,
    names_code,
    opens_by_name,
    spec_of_first_schema,
)

SCHEMA = "lejepa-agent/world-model/2"
FIRST_SCHEMA = "lejepa-agent/world-model/1"
CONFIG = "config.json"
OWN_WORLD = "FILE.py:CLASS"  # where a world has no name that says what to open


def checkpoint_facts(directory: Path) -> dict[str, Any]:
    """What was told when it was saved; errors as of :func:`config_of`, or DamagedDataError."""
    facts: dict[str, Any] = config_of(directory, read_bundle(directory, only=[CONFIG]))["facts"]
    return facts


def checkpoint_spec(directory: Path) -> WorldSpec:
    """The world of the model in ``directory``; same errors as :func:`checkpoint_facts`."""
    config = config_of(directory, read_bundle(directory, only=[CONFIG]))
    return WorldSpec.from_json(config["world"])


def world_to_name(world: str) -> str | None:
    """What --world must say of a checkpoint made for ``world``; None where its word is enough.

    A world of a user's own may call itself anything: then the flag stands for its place.
    """
    if opens_by_name(world):
        return None
    file = world.partition(":")[0]
    is_gone = file.endswith(".py") and not Path(file).is_file()
    return world if names_code(world) and not is_gone else OWN_WORLD


def first_use(spec: WorldSpec, checkpoint: str, data: str = "DIR") -> str:
    """The command for a shell that tries a new model: in its world, or else on its recordings.

    ``checkpoint`` and ``data`` are quoted as they need it.
    """
    program = "python run_agent.py"
    if spec.is_recording:
        return f"{program} evaluate --checkpoint {checkpoint} --data {data}"
    world = world_to_name(spec.world)
    flag = "" if world is None else f" --world {quote(world)}"
    return f"{program} control --checkpoint {checkpoint}{flag}"


def config_of(directory: Path, files: Mapping[str, bytes]) -> dict[str, Any]:
    """``config.json`` of a world model among ``files``, in the present schema.

    Raises:
        UserError: if it is none, or of another version.
    """
    try:
        config: dict[str, Any] = json.loads(files[CONFIG])
        schema, _, _ = config["schema"], dict(config["model"]), dict(config["facts"])
        if schema == SCHEMA:
            WorldSpec.from_json(config["world"])
    except (KeyError, ValueError, TypeError, RecursionError) as error:
        raise UserError(
            f"expected a world model in {directory}, got a checkpoint of another kind or a damaged "
            f"config.json ({error!r}): name a directory that `train` wrote"
        ) from error
    if schema == FIRST_SCHEMA:
        return _translated(directory, config)
    if schema != SCHEMA:
        raise UserError(f"{directory}: expected schema {SCHEMA!r}, got {schema!r}")
    return config


def _translated(directory: Path, config: Mapping[str, Any]) -> dict[str, Any]:
    """A config of the first schema, which named its one world among the settings of the model."""
    try:
        model = {k: v for k, v in config["model"].items() if k not in FIRST_SCHEMA_FIELDS}
        encoder = dict(model["encoder"])
        world = {**config["model"], "image_size": encoder.pop("image_size")}
        spec = spec_of_first_schema(world)
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{directory}: config.json is not of this version ({error})") from error
    return {**config, "model": {**model, "encoder": encoder}, "world": spec.to_json()}
