"""The one door to dm_control: loaded with OpenGL chosen, its failures told in our errors."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from envs.errors import GLError, WorldError
from envs.gl import DEVICE_VARIABLE, VARIABLE, advice, configure_gl_if_possible, forget_gl


def import_dm_control(module: str) -> Any:
    """The ``module`` of dm_control, which loads the OpenGL backend even where nothing is drawn.

    Raises:
        GLError: if the backend or the device that the environment asks for is not there.
    """
    configure_gl_if_possible()  # before the import, which reads MUJOCO_GL
    try:
        return importlib.import_module(module)
    except (MemoryError, ModuleNotFoundError):  # not a matter of OpenGL
        raise
    except Exception as error:  # each backend raises its own kind
        forget_gl()
        device = os.environ.get(DEVICE_VARIABLE)
        on_device = f" on {DEVICE_VARIABLE}={device}, a single number" if device else ""
        raise GLError(
            f"expected dm_control to load the OpenGL backend {os.environ.get(VARIABLE)!r} of "
            f"{VARIABLE}{on_device}, got: {error}. To fix: {advice()}"
        ) from error


@contextmanager
def explained_physics(world: str) -> Iterator[None]:
    """Turn what dm_control says of numbers that blew up into ``WorldError``, naming ``world``."""
    physics_error = importlib.import_module("dm_control.rl.control").PhysicsError
    try:
        yield
    except physics_error as error:
        raise WorldError(
            f"the simulation of {world} broke down ({error}): start it with smaller numbers"
        ) from error
