"""Libraries that only some work needs, and what to install for them."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

from agent.errors import MachineError

EXTRAS = {  # the extra that a library belongs to
    "matplotlib": "report",
    "tensorboard": "report",
    "stable_baselines3": "rl",
    "onnx": "export",
    "onnxruntime": "export",
    "ray": "cluster",
    "optuna": "cluster",
    "fsspec": "remote",
    "s3fs": "remote",
    "trimesh": "live",
    "viser": "live",
}


def version_of(distribution: str) -> str | None:
    """Which version of a package is installed; None if there is none."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def missing_extra(error: BaseException) -> str | None:
    """What to install for the library that ``error`` did not find; None if it is no such error."""
    name = (error.name or "").partition(".")[0] if isinstance(error, ImportError) else ""
    if name not in EXTRAS:
        return None
    return f"{name} is not installed: run python -m pip install 'lejepa-agent[{EXTRAS[name]}]'"


def missing_module(error: ModuleNotFoundError) -> str:
    """What to do about a module that is not there, which is none of this program."""
    if error.name in sys.stdlib_module_names:
        return (
            f"{sys.executable} lacks Python's own module {error.name}, which not every system has "
            f"({sys.platform}): run this on Linux or macOS, or on Windows in WSL"
        )
    return (
        f"{sys.executable} lacks {error.name}. Run `make setup` once, then use .venv/bin/python in "
        "place of python"
    )


def require(name: str) -> Any:
    """The module ``name`` of an extra.

    Raises:
        MachineError: if it is not installed, saying what to install.
    """
    try:
        return import_module(name)
    except ImportError as error:
        raise MachineError(missing_extra(error) or f"{name} does not load: {error}") from error
