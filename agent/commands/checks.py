"""The questions ``doctor`` asks a machine, one function each."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from agent.extras import EXTRAS, to_install, version_of
from agent.machine.cores import usable_cores
from agent.machine.memory import available_memory_bytes

DISTRIBUTION = "lejepa-agent"
MIN_PYTHON = (3, 11)
EXACT_PAIR = {"dm-control": "1.0.50", "mujoco": "3.17.0"}
OTHERS = (
    "torch", "gymnasium", "opencv-python", "numpy", "h5py", "safetensors", "scipy", "tyro", "rich",
)  # fmt: skip
BRINGS = {"opencv-python": "cv2"}  # a module that other distributions bring as well
SET_UP = "run `make setup`, or: pip install -r requirements.lock"
DISK_MB, LOW_DISK_MB = 500, 2_000
MEMORY_MB, LOW_MEMORY_MB = 1_500, 4_000
SPEED_FRAMES = 100


@dataclass(frozen=True)
class Finding:
    """One answer: ``problem`` stops the main job, ``slow`` only hampers it, ``note`` neither."""

    what: str
    status: Literal["ok", "note", "slow", "problem"]
    found: str
    fix: str = ""


def check_all(directory: Path) -> Iterator[Finding]:
    """Every check in turn; ``directory`` is where data would be written."""
    yield check_python()
    yield check_pair()
    yield from check_packages()
    yield from check_extras()
    yield check_opencv()
    yield check_gl()
    yield check_threads()
    yield check_memory()
    yield check_disk(directory)


def check_python() -> Finding:
    """The interpreter is new enough."""
    found = f"{sys.version.split()[0]} in {sys.prefix}"
    if sys.version_info >= MIN_PYTHON:
        return Finding("Python", "ok", found)
    return Finding("Python", "problem", found, "make .venv anew with Python 3.11 or later")


def check_pair() -> Finding:
    """dm_control breaks with any MuJoCo but its own, and pip does not notice."""
    found = {name: _version(name) or "missing" for name in EXACT_PAIR}
    text = ", ".join(f"{name} {version}" for name, version in found.items())
    if found == EXACT_PAIR:
        return Finding("simulator pair", "ok", text)
    wanted = " ".join(f"{name}=={version}" for name, version in EXACT_PAIR.items())
    return Finding("simulator pair", "problem", text, f"pip install {wanted}")


def check_packages() -> Iterator[Finding]:
    """Everything else that every command needs is there, and which versions."""
    found = {name: _version(name) for name in OTHERS}
    there = ", ".join(f"{name} {version}" for name, version in found.items() if version)
    missing = ", ".join(name for name, version in found.items() if not version)
    yield Finding("packages", "ok", there)
    if missing:
        yield Finding("packages", "problem", f"missing: {missing}", SET_UP)
    if not _version(DISTRIBUTION):
        fix = "pip install --no-deps -e . (without it gymnasium.make does not know our ids)"
        yield Finding("this program", "slow", "runs, but is not installed", fix)


def check_extras() -> Iterator[Finding]:
    """What only some commands need."""
    for extra, (purpose, names) in EXTRAS.items():
        missing = ", ".join(name for name in names if not _version(name))
        if missing:
            found = f"missing: {missing}, for {purpose}: {to_install(extra)}"
            yield Finding(f"extra {extra}", "note", found)
            continue
        there = ", ".join(f"{name} {_version(name)}" for name in names)
        yield Finding(f"extra {extra}", "ok", there)


def check_opencv() -> Finding:
    """OpenCV loads, which needs system libraries."""
    from envs import GLError, import_opencv

    try:
        cv2 = import_opencv()
    except GLError as error:
        return Finding("OpenCV", "problem", *_split_fix(str(error)))
    return Finding("OpenCV", "ok", f"{cv2.__version__} loads")


def check_gl() -> Finding:
    """A frame can be rendered; in a child process first, since broken OpenGL kills."""
    from envs import DEFAULT_WORLD, GLError, configure_gl, gl_advice, make_world, probe

    chosen_by = "MUJOCO_GL" if os.environ.get("MUJOCO_GL") else "a probe"
    try:
        backend = configure_gl()
        reason = probe(backend) if backend != "default" else None
        if reason is not None:
            found = f"{backend} cannot draw a frame: {reason}"
            return Finding("OpenGL", "problem", found, gl_advice())
        with closing(make_world(DEFAULT_WORLD)) as world:
            world.frame()
            start_s = time.perf_counter()
            for _ in range(SPEED_FRAMES):
                world.frame()
    except GLError as error:
        return Finding("OpenGL", "problem", *_split_fix(str(error)))
    speed = SPEED_FRAMES / (time.perf_counter() - start_s)
    return Finding("OpenGL", "ok", f"{backend} (by {chosen_by}) draws {speed:.0f} frames/s")


def check_threads() -> Finding:
    """How many cores there are, how many torch uses, and whether others are using them."""
    cores = usable_cores()
    try:
        import torch
    except ImportError as error:
        return Finding("threads", "problem", f"torch does not load: {error}", SET_UP)
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    found = f"{cores} cores, torch uses {torch.get_num_threads()} threads, load {load:.1f}"
    if load > 0.5 * cores:
        return Finding("threads", "slow", found, "let other programs finish: training slows a lot")
    return Finding("threads", "ok", found)


def check_memory() -> Finding:
    """Training takes up to 4 GB."""
    free_mb = available_memory_bytes() // 10**6
    fix = "close other programs, or collect fewer episodes"
    return _amount("memory", free_mb, "available", MEMORY_MB, LOW_MEMORY_MB, fix)


def check_disk(directory: Path) -> Finding:
    """Data sets, checkpoints and videos need room."""
    free_mb = shutil.disk_usage(directory).free // 10**6
    fix = "free some space, or name other directories with --out"
    return _amount("disk", free_mb, f"free in {directory}", DISK_MB, LOW_DISK_MB, fix)


def _amount(what: str, amount_mb: int, where: str, least: int, low: int, fix: str) -> Finding:
    found = f"{amount_mb / 1000:.1f} GB {where}"
    if amount_mb >= low:
        return Finding(what, "ok", found)
    return Finding(what, "problem" if amount_mb < least else "slow", found, fix)


def _version(name: str) -> str | None:
    """Of the distribution ``name``, or of any other that brings the same module."""
    found = version_of(name)
    if found is None and name in BRINGS:
        others = importlib.metadata.packages_distributions().get(BRINGS[name], [])
        found = next(filter(None, map(version_of, others)), None)
    return found


def _split_fix(message: str) -> tuple[str, str]:
    """What was found and how to fix it, from an error of ``envs``."""
    found, *fix = re.split(r"[.;]?\s*To fix: ", message, maxsplit=1)
    return found, fix[0] if fix else SET_UP
