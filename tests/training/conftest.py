"""Small data sets of several worlds, and settings that train on it in a second."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from agent.config import ExperimentConfig, preset
from agent.data import RolloutWriter
from agent.interfaces import Array, Image
from envs import Column, WorldSpec

EPISODES, EPISODE_STEPS = 8, 40


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Bit-equality is promised for one number of threads, and two would only get in the way."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def spot(places: Array, size: tuple[int, int]) -> Image:
    """Frames (T, h, w, 3) with a bright spot at each of ``places`` (T, 2), shares of the side."""
    height, width = size
    rows, columns = (np.arange(side) for side in size)
    down = np.exp(-(((rows - places[:, :1] * height) / 3) ** 2))  # (T, h)
    along = np.exp(-(((columns - places[:, 1:] * width) / 3) ** 2))  # (T, w)
    grey = (255 * down[:, :, None] * along[:, None, :]).astype(np.uint8)
    return np.stack([grey, grey // 2, 255 - grey], -1)


def write(out: Path, spec: WorldSpec, lengths: Sequence[int]) -> Path:
    """Episodes of so many steps: actions (T, A) turn an angle and lift a height, which are seen."""
    rng = np.random.default_rng(5)
    with RolloutWriter(out, spec, episodes_per_shard=4) as writer:
        for steps in lengths:
            actions = rng.uniform(-1, 1, (steps, spec.action_dim))
            start = rng.uniform(0, 6, (1, 2))
            moves = 0.5 * np.column_stack([actions[:, 0], actions[:, -1]])
            path = np.concatenate([start, start + np.cumsum(moves, 0)])
            places = 0.5 + 0.35 * np.sin(path)
            states = path[:, : len(spec.state)]
            writer.add(spot(places, spec.image_size), actions, states)
    return out


STATE = (Column("angle", "rad", 2 * np.pi), Column("height", "m"))
KINDS = {
    "one-action": (WorldSpec("recorded:one-action", "drawn", (16, 16), 1, 0.1), [30] * 8),
    "wide": (WorldSpec("recorded:wide", "drawn", (24, 40), 3, 0.05, STATE), [30] * 8),
    "mixed": (
        WorldSpec("recorded:mixed", "drawn", (20, 16), 2, 0.05, STATE),
        [30, 12, 41, 25, 9, 33, 17, 28],
    ),
    "short-last": (WorldSpec("recorded:ends", "drawn", (16, 16), 2, 0.04), [20] * 7 + [4, 3]),
    "short": (WorldSpec("recorded:ends", "drawn", (16, 16), 2, 0.04), [3] * 6),
}


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """8 episodes of 41 frames with two actions and two coordinates; not to be changed."""
    spec = WorldSpec("recorded:spots", "drawn", (32, 32), 2, 0.04, STATE)
    return write(tmp_path_factory.mktemp("training") / "data", spec, [EPISODE_STEPS] * EPISODES)


@pytest.fixture
def recording(tmp_path: Path) -> Callable[[str], Path]:
    """Writes a data set of a world of one of the ``KINDS``."""
    return lambda kind: write(tmp_path / kind, *KINDS[kind])


def make_config(**changes: Any) -> ExperimentConfig:
    """The preset ``tiny``, 30 steps on one thread, a quarter held out, and these changes."""
    tiny = preset("tiny")
    settings = {
        "steps": 30,
        "batch": 4,
        "diagnose_every": 1000,
        "save_every": 1000,
        "holdout_fraction": 0.25,
        "threads": 1,
        **changes,
    }
    return dataclasses.replace(tiny, training=dataclasses.replace(tiny.training, **settings))


@pytest.fixture(scope="session")
def config() -> Callable[..., ExperimentConfig]:
    """Builds settings; any of training's can be given by name."""
    return make_config
