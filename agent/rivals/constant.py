"""The floors: a controller that does nothing, and one that does anything."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agent.interfaces import Decision, Goals, Needs, Seen
from envs import WorldSpec


class NoOpController:
    """No action, ever, in a world of ``spec``."""

    name = "noop"

    def __init__(self, spec: WorldSpec) -> None:
        self.needs = Needs(pixels=False)
        self._shape = (0, spec.action_dim)

    def reset(self, goals: Goals, seeds: Sequence[int]) -> None:
        """Nothing to remember but how many episodes there are."""
        self._shape = (len(seeds), self._shape[1])

    def act(self, seen: Seen) -> Decision:
        """Zeros (E, A)."""
        return Decision(np.zeros(self._shape))


class RandomController:
    """Independent uniform actions, each episode from its own stream, in a world of ``spec``."""

    name = "random"

    def __init__(self, spec: WorldSpec) -> None:
        self.needs = Needs(pixels=False)
        self._width = spec.action_dim
        self._streams: list[np.random.Generator] = []

    def reset(self, goals: Goals, seeds: Sequence[int]) -> None:
        """Open one stream an episode."""
        self._streams = [np.random.default_rng(seed) for seed in seeds]

    def act(self, seen: Seen) -> Decision:
        """Actions (E, A), uniform in [-1, 1]."""
        return Decision(np.stack([rng.uniform(-1.0, 1.0, self._width) for rng in self._streams]))
