"""Random windows of episodes, a pure function of a seed and the number of the training step.

A window of T frames, K env steps apart, spans (T−1)·K+1 rows of one episode and may start at any
row that leaves room for it. Its action t is the K actions between frame t and frame t+1, in time
order. Because step s always gives the same windows, a resumed training sees what it would have.
"""

from __future__ import annotations

import logging

import numpy as np
from numpy.typing import ArrayLike

from agent.data.episodes import Episodes, Rows
from agent.errors import UserError
from agent.interfaces import Window

_log = logging.getLogger(__name__)


class WindowSampler:
    """Draws windows uniformly from all that fit in some episodes.

    ``episode_ids`` (any number of them); ``frames`` T, at least 2; ``stride`` K env steps between
    frames; ``batch`` B windows per call, of which only ``part`` (n, of) is served: what several
    ranks are served together is what one would be. Episodes too short for a window are passed over,
    with a warning; UserError if all are.
    """

    def __init__(
        self,
        episodes: Episodes,
        episode_ids: ArrayLike,
        frames: int,
        stride: int,
        batch: int,
        seed: int,
        part: tuple[int, int] = (0, 1),
    ) -> None:
        ids = np.asarray(episode_ids, dtype=np.int64)
        ids = _long_enough(episodes, ids, frames, stride, batch)
        self.episodes = episodes
        self.frames, self.stride, self.batch, self.seed = frames, stride, batch, seed
        number, parts = part
        self._part = slice(number * batch // parts, (number + 1) * batch // parts)
        self._first_row = episodes.ep_offset[ids]
        # Window number w, of all there are, starts in the episode whose end_number exceeds w.
        starts = episodes.ep_len[ids] - (frames - 1) * stride
        self._end_number = np.cumsum(starts)
        self._first_number = self._end_number - starts

    @property
    def window_count(self) -> int:
        """How many different windows there are."""
        return int(self._end_number[-1])

    def sample(self, step: int) -> Window:
        """The B windows of training step ``step``, or our part of them, always the same."""
        rng = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(step,)))
        drawn = rng.integers(self.window_count, size=self.batch)[self._part]
        return self.windows_at(self._start_rows(drawn))

    def windows_at(self, start_rows: Rows) -> Window:
        """The windows whose first frames are the given rows (B,); no check that they fit."""
        span = (self.frames - 1) * self.stride
        frame_rows = start_rows[:, None] + np.arange(0, span + 1, self.stride)  # (B, T)
        action_rows = start_rows[:, None] + np.arange(span)  # (B, (T-1)*K)
        actions = self.episodes.action[action_rows]  # (B, (T-1)*K, A)
        return Window(
            frames=self.episodes.pixels[frame_rows],
            actions=actions.reshape(len(start_rows), self.frames - 1, -1),  # (B, T-1, K*A)
        )

    def _start_rows(self, numbers: Rows) -> Rows:
        episode = np.searchsorted(self._end_number, numbers, side="right")
        return self._first_row[episode] + numbers - self._first_number[episode]


def _long_enough(episodes: Episodes, ids: Rows, frames: int, stride: int, batch: int) -> Rows:
    """Those of ``ids`` that a window fits in."""
    if frames < 2 or stride < 1 or batch < 1:
        raise UserError(
            "expected frames of at least 2, stride and batch of at least 1, "
            f"got {frames}, {stride} and {batch}"
        )
    if ids.ndim != 1 or not len(ids) or not 0 <= ids.min() <= ids.max() < episodes.count:
        raise UserError(f"expected episode numbers from 0 to {episodes.count - 1}, got {ids}")
    needed, lengths = (frames - 1) * stride + 1, episodes.ep_len[ids]
    if lengths.max() < needed:
        raise UserError(
            f"a window of {frames} frames {stride} env steps apart needs episodes of {needed} "
            f"frames, got none above {lengths.max()}: take shorter windows "
            "(--training.window-frames), or record longer episodes"
        )
    if lengths.min() < needed:
        short = int((lengths < needed).sum())
        _log.warning("%d of %d episodes are too short to learn from", short, len(ids))
    return ids[lengths >= needed]
