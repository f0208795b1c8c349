"""One small real data set, and settings that train on it in a second."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from agent.config import ExperimentConfig, preset
from agent.data import CollectConfig, collect

EPISODES, EPISODE_STEPS = 8, 40


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Bit-equality is promised for one number of threads, and two would only get in the way."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """8 episodes of 41 real frames by one real worker; not to be changed."""
    out = tmp_path_factory.mktemp("training") / "data"
    settings = {"episodes": EPISODES, "episode_steps": EPISODE_STEPS, "episodes_per_shard": 4}
    collect(CollectConfig(out, workers=1, seed=5, **settings))
    return out


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
