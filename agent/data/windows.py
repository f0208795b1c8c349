"""Random windows of episodes, a pure function of a seed and the number of the training step.

A window of T frames, K env steps apart, spans (T−1)·K+1 rows of one episode and may start at any
row that leaves room for it. Its action t is the K actions between frame t and frame t+1, in time
order. Because step s always gives the same windows, a resumed training sees what it would have.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from agent.data.episodes import Episodes, Rows
from agent.errors import UnfitError, UserError
from agent.interfaces import Window

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Drawing:
    """How windows are drawn: ``frames`` T, at least 2, ``stride`` K env steps between frames,
    ``batch`` B windows per call, of which only ``part`` (n, of) is served: what several ranks are
    served together is what one would be. ``remedy`` is said where no episode is long enough.
    """

    frames: int
    stride: int
    batch: int
    seed: int
    part: tuple[int, int] = (0, 1)
    remedy: str = "take shorter windows (--training.window-frames)"

    @property
    def rows(self) -> int:
        """How many rows of an episode a window spans."""
        return (self.frames - 1) * self.stride + 1


class WindowSampler:
    """Draws windows uniformly from all that fit in the episodes ``episode_ids``.

    Episodes too short for a window are passed over, with a warning; UserError if all are.
    """

    def __init__(self, episodes: Episodes, episode_ids: ArrayLike, drawing: Drawing) -> None:
        ids = _long_enough(episodes, np.asarray(episode_ids, dtype=np.int64), drawing)
        self.episodes, self.drawing = episodes, drawing
        (number, parts), batch = drawing.part, drawing.batch
        self._part = slice(number * batch // parts, (number + 1) * batch // parts)
        self._first_row = episodes.ep_offset[ids]
        # Window number w, of all there are, starts in the episode whose end_number exceeds w.
        starts = episodes.ep_len[ids] - drawing.rows + 1
        self._end_number = np.cumsum(starts)
        self._first_number = self._end_number - starts

    @property
    def window_count(self) -> int:
        """How many different windows there are."""
        return int(self._end_number[-1])

    def sample(self, step: int) -> Window:
        """The B windows of training step ``step``, or our part of them, always the same."""
        rng = np.random.default_rng(np.random.SeedSequence(self.drawing.seed, spawn_key=(step,)))
        drawn = rng.integers(self.window_count, size=self.drawing.batch)[self._part]
        return self.windows_at(self._start_rows(drawn))

    def windows_at(self, start_rows: Rows) -> Window:
        """The windows whose first frames are the given rows (B,); no check that they fit."""
        rows = start_rows[:, None] + np.arange(self.drawing.rows)  # (B, (T-1)*K + 1)
        actions = self.episodes.action[rows[:, :-1]]  # (B, (T-1)*K, A)
        return Window(
            frames=self.episodes.pixels[rows[:, :: self.drawing.stride]],
            actions=actions.reshape(len(rows), self.drawing.frames - 1, -1),  # (B, T-1, K*A)
        )

    def _start_rows(self, numbers: Rows) -> Rows:
        episode = np.searchsorted(self._end_number, numbers, side="right")
        return self._first_row[episode] + numbers - self._first_number[episode]


def _long_enough(episodes: Episodes, ids: Rows, drawing: Drawing) -> Rows:
    """Those of ``ids`` that a window fits in."""
    frames, stride, batch = drawing.frames, drawing.stride, drawing.batch
    if frames < 2 or stride < 1 or batch < 1:
        raise UserError(
            "expected frames of at least 2, stride and batch of at least 1, "
            f"got {frames}, {stride} and {batch}"
        )
    if ids.ndim != 1 or not len(ids) or not 0 <= ids.min() <= ids.max() < episodes.count:
        raise UserError(f"expected episode numbers from 0 to {episodes.count - 1}, got {ids}")
    needed, lengths = drawing.rows, episodes.ep_len[ids]
    if lengths.max() < needed:
        raise UnfitError(
            f"a window of {frames} frames {stride} env steps apart needs episodes of {needed} "
            f"frames, got none above {lengths.max()} among those that are not held out: "
            f"{drawing.remedy}, or record longer episodes"
        )
    if lengths.min() < needed:
        short = int((lengths < needed).sum())
        _log.warning(
            "%d of %d episodes that are not held out are too short for windows of %d frames",
            short,
            len(ids),
            needed,
        )
    return ids[lengths >= needed]
