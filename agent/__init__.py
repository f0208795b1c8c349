"""A world model from pixels that steers to pictures of goals.

What a program of one's own needs is here; nothing is imported before it is used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from agent.machine.libraries import settle

settle()  # before anything here can import torch

__version__ = "0.2.0"

if TYPE_CHECKING:
    from agent.api import Agent
    from agent.data.films import read_film
    from agent.data.store import RolloutStore
    from agent.data.writer import RolloutWriter
    from agent.errors import UserError
    from agent.export.exported import ExportedAgent
    from agent.resizing import resized
    from envs import Column, Posable, World, WorldError, WorldSpec, make_world

_HOMES = {
    "Agent": "agent.api",
    "Column": "envs",
    "ExportedAgent": "agent.export.exported",
    "Posable": "envs",
    "RolloutStore": "agent.data.store",
    "RolloutWriter": "agent.data.writer",
    "UserError": "agent.errors",
    "World": "envs",
    "WorldError": "envs",
    "WorldSpec": "envs",
    "make_world": "envs",
    "read_film": "agent.data.films",
    "resized": "agent.resizing",
}

__all__ = [
    "Agent",
    "Column",
    "ExportedAgent",
    "Posable",
    "RolloutStore",
    "RolloutWriter",
    "UserError",
    "World",
    "WorldError",
    "WorldSpec",
    "make_world",
    "read_film",
    "resized",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'agent' has no attribute {name!r}")
    try:
        return getattr(importlib.import_module(_HOMES[name]), name)
    except ModuleNotFoundError as error:
        if error.name not in ("torch", "h5py"):
            raise
        raise ModuleNotFoundError(
            f"{name} needs {error.name}, which is not installed; ExportedAgent acts without",
            name=error.name,
        ) from error


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
