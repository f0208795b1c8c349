"""From a time series to roughly independent samples.

Frames of one episode resemble each other, and a test that takes them for independent finds
significance everywhere. The *memory* is the lag from which on no principal direction, and no
square of one, correlates above ``FORGOTTEN``, whatever its sign: what swings is uncorrelated after
a quarter of a period and comes back after a half. It is measured about the mean of all episodes:
whatever differs from one episode to the next (its action scale, say) therefore never decays, and
the memory becomes a whole episode. Every memory-th frame is kept, from a random phase; at least one
frame an episode always is, and episodes are independent.

For Gaussian data what is left does no harm: a statistic of degree d feels a correlation ρ as ρ^d
(Hermite), and once mean and covariance are divided out only degrees of 3 and more remain.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from agent.diagnosis.trajectories import Trajectories
from agent.interfaces import Array

FORGOTTEN = 0.2
AHEAD, NOISE = 8, 4.0  # memories looked ahead; standard deviations of a correlation by chance
MOST_SAMPLES = 1000  # more would only cost time: verdicts rest on effect sizes
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Sample:
    """Roughly independent frames: ``episode`` and ``frame`` (n,), and the memory in frames.

    No frame is the last of its episode, so each has a successor.
    """

    episode: Rows
    frame: Rows
    memory: int

    def __len__(self) -> int:
        return len(self.episode)

    def after(self, skipped: int) -> Sample:
        """The same frames of episodes whose first ``skipped`` frames are cut off."""
        kept = self.frame >= skipped
        return Sample(self.episode[kept], self.frame[kept] - skipped, self.memory)

    def take(self, values: Array) -> Array:
        """Rows (n, ...) of ``values`` (E, T or T-1, ...)."""
        return values[self.episode, self.frame]


def thin(data: Trajectories, rng: np.random.Generator) -> Sample:
    """Frames at least a memory apart, ``MOST_SAMPLES`` at most."""
    step = memory_frames(data.white)
    usable = data.frames - 1
    phases = rng.integers(min(step, usable), size=data.episodes)
    frames = [np.arange(phase, usable, step) for phase in phases]
    episode = np.repeat(np.arange(data.episodes), [len(f) for f in frames])
    frame = np.concatenate(frames)
    if len(frame) > MOST_SAMPLES:
        kept = np.sort(rng.choice(len(frame), MOST_SAMPLES, replace=False))
        episode, frame = episode[kept], frame[kept]
    return Sample(episode, frame, step)


def memory_frames(white: Array) -> int:
    """The memory of ``white`` (E, T, R) in frames, T − 1 at most."""
    features = np.concatenate([white, (white**2 - 1) / np.sqrt(2)], -1)
    features = features - features.mean((0, 1))
    power = np.maximum((features**2).mean((0, 1)), 1e-12)
    most = int(white.shape[1]) - 1

    @cache
    def correlation(lag: int) -> float:
        product = (features[:, lag:] * features[:, :-lag]).mean((0, 1))
        return float(np.abs(product / power).max())

    def is_remembered(lag: int, memory: int) -> bool:
        apart = len(white) * (white.shape[1] - lag) / (2 * memory)  # independent pairs, roughly
        return correlation(lag) >= max(FORGOTTEN, NOISE / math.sqrt(apart))

    memory = next((lag for lag in range(1, most) if correlation(lag) < FORGOTTEN), most)
    while True:
        ahead = range(memory, min(AHEAD * memory, most))
        last = max((lag for lag in ahead if is_remembered(lag, memory)), default=None)
        if last is None:
            return memory
        memory = last + 1
