"""The settings of a training: from a preset, a file and flags, and written down as TOML."""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agent.config import ExperimentConfig, changed, going_on, preset, require_going_on
from agent.errors import UserError
from agent.machine.cores import usable_cores
from agent.model.world_model import WorldModelConfig
from agent.settings import leaves, with_changes
from agent.training import ranks

DEFAULT_PRESET = "default"
MAX_CHARACTERS = 20_000  # ten times what all settings take


def read_toml(path: Path, hint: str = "") -> dict[str, Any]:
    """What the file of ``--config`` says; UserError with the ``hint`` if it cannot be read."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        if len(text) > MAX_CHARACTERS:
            raise ValueError(f"{len(text)} characters, more than {MAX_CHARACTERS}")
        return tomllib.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"expected a TOML file in --config {path}, got: {error}{hint}") from error


def read_settings(path: Path) -> tuple[str | None, dict[str, Any]]:
    """The preset that the file names, if any, and its settings by dotted name; as ``read_toml``."""
    values = read_toml(path, ". Write one with --print-config")
    named = values.pop("preset", None)
    return named if named is None else str(named), dict(leaves(values))


def chosen_settings(
    named: str, network: WorldModelConfig | None, *changes: Mapping[str, Any]
) -> ExperimentConfig:
    """The preset ``named`` with ``changes`` by dotted name, later ones before earlier ones.

    ``network`` is that of a checkpoint to go on from, which cannot be changed. Steps of the head go
    along with those of the training, and threads with the cores there are, unless they are given.

    Raises:
        UserError: on an unknown preset or setting, or a value that makes no sense.
    """
    base = preset(named)
    if network is not None:
        base = dataclasses.replace(base, model=network)
    given = {name.replace("-", "_"): v for part in changes for name, v in part.items()}
    config = changed(base, given)
    if network is not None:
        require_going_on(config, changes[-1])
        if config.model != network:
            raise UserError(
                "expected the network of the checkpoint in --from, got other settings of the "
                "model: leave out what begins with model, or train anew without --from"
            )
        config = going_on(config, network)
    if "training.threads" in given:
        return config
    cores = max(1, usable_cores() // ranks.on_this_machine())
    return with_changes(config, {"training.threads": min(base.training.threads, cores)})
