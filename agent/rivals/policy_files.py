"""A policy on disk: ``config.json`` (schema, settings, facts) and ``model.safetensors``."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import safetensors.torch
from safetensors import SafetensorError
from torch import nn

from agent.errors import DamagedDataError, UserError
from agent.files.bundle import write_bundle
from agent.model.filling import Network, filled

CONFIG, WEIGHTS = "config.json", "model.safetensors"


def save_policy(
    directory: Path,
    schema: str,
    settings: tuple[str, Any],
    network: nn.Module,
    facts: Any,
    more: Mapping[str, Any] | None = None,
) -> None:
    """Write ``network`` with its ``settings`` (their name in the file, a dataclass), ``facts`` and
    what ``more`` the file shall say.

    Raises:
        UserError: if something other than a checkpoint lies there.
    """
    name, config = settings
    written = {"schema": schema, name: dataclasses.asdict(config), "facts": dict(facts)}
    written |= more or {}
    tensors = {name: value.contiguous() for name, value in network.state_dict().items()}
    files = {
        CONFIG: json.dumps(written, indent=2).encode(),
        WEIGHTS: safetensors.torch.save(tensors),
    }
    write_bundle(directory, files)


def read_config(
    directory: Path, files: Mapping[str, bytes], schemas: Sequence[str], advice: str
) -> dict[str, Any]:
    """All that ``config.json`` says.

    Raises:
        UserError: if its schema is none of ``schemas``, newest first; begins with ``advice``.
        DamagedDataError: if it is not readable.
    """
    try:
        config: dict[str, Any] = json.loads(files[CONFIG])
        found = config["schema"]
    except (KeyError, ValueError, TypeError, RecursionError) as error:
        raise DamagedDataError(f"{directory}: {CONFIG} is unreadable ({error!r})") from error
    if found not in schemas:
        raise UserError(
            f"{advice}, or evaluate it with the controller it belongs to (expected {schemas[0]} in "
            f"{directory}, got {found!r})"
        )
    return config


def load_policy(
    directory: Path, files: Mapping[str, bytes], make: Callable[[], Network]
) -> Network:
    """What ``make`` makes, with the weights of the bundle, in evaluation mode.

    Raises:
        DamagedDataError: if the weights do not fit it.
        Whatever else ``make`` raises.
    """
    try:
        return filled(make, files.get(WEIGHTS, b""))
    except (SafetensorError, RuntimeError, OverflowError) as error:
        raise DamagedDataError(f"{directory}: weights do not fit {CONFIG} ({error})") from error
