"""The floors: a controller that does nothing, and one that does anything."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agent.interfaces import Array, GoalObservation
from envs import TORQUE_DIM


class NoOpController:
    """No torque, ever."""

    name = "noop"
    needs_pixels = False

    def reset(self, observations: Sequence[GoalObservation], seeds: Sequence[int]) -> None:
        """Nothing to remember."""

    def act(self, observations: Sequence[GoalObservation]) -> Array:
        """Zeros (E, 2)."""
        return np.zeros((len(observations), TORQUE_DIM))


class RandomController:
    """Independent uniform torques, each episode from its own stream."""

    name = "random"
    needs_pixels = False

    def __init__(self) -> None:
        self._streams: list[np.random.Generator] = []

    def reset(self, observations: Sequence[GoalObservation], seeds: Sequence[int]) -> None:
        """Open one stream an episode."""
        self._streams = [np.random.default_rng(seed) for seed in seeds]

    def act(self, observations: Sequence[GoalObservation]) -> Array:
        """Torques (E, 2), uniform in [-1, 1]."""
        return np.stack([rng.uniform(-1.0, 1.0, TORQUE_DIM) for rng in self._streams])
