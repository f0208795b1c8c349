"""Libraries that only some work needs, and what to install for them."""

from __future__ import annotations

import shlex
import sys
from importlib import import_module
from typing import Any

from agent.errors import MachineError

EXTRAS = {  # what each is for, and its packages
    "rl": ("baseline", ("stable-baselines3",)),
    "report": ("figures and curves", ("matplotlib", "tensorboard")),
    "export": ("export", ("onnx", "onnxruntime")),
    "live": ("the live page", ("trimesh", "viser")),
    "studies": ("the studies", ("scikit-learn",)),
    "cluster": ("many machines", ("optuna", "ray")),
    "remote": ("data under a URL", ("fsspec", "s3fs")),
}
_EXTRA_OF = {  # by the name of a module
    name.replace("-", "_"): extra for extra, (_, names) in EXTRAS.items() for name in names
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
    if name not in _EXTRA_OF:
        return None
    return f"{name} is not installed: run {to_install(_EXTRA_OF[name])}"


def to_install(extra: str) -> str:
    """The command that installs what ``extra`` needs, by the packages' own names.

    That of this program is nobody's where packages come from: it may not be asked for there.
    """
    from importlib.metadata import PackageNotFoundError, requires

    try:
        asked = [line.partition(";") for line in requires("lejepa-agent") or ()]
    except PackageNotFoundError:  # run from a folder
        asked = []
    mark = f"extra == '{extra}'"
    found = [name.strip() for name, _, when in asked if when.strip().replace('"', "'") == mark]
    return f"python -m pip install {shlex.join(found or EXTRAS[extra][1])}"


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
