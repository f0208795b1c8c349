"""The random stream of each recorded episode."""

from __future__ import annotations

import numpy as np


def episode_rng(seed: int, episode: int) -> np.random.Generator:
    """The random stream that episode ``episode`` of the data set seeded ``seed`` owns."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(episode,)))
