"""Which episodes are held out of training: the last ones, as far as they can be measured on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from agent.data.episodes import Rows
from agent.errors import UserError

HOLDOUT_FRACTION = 0.05  # unless a training says otherwise


def held_out_of(
    count: int, fraction: float, least_frames: int, lengths: Callable[[int], Rows]
) -> Rows:
    """The last ``fraction`` of ``count`` episodes, one at least, and never all.

    Where each of those is shorter than ``least_frames`` frames, as in a world that ends its
    episodes, the last that are not are held out instead, if there are any. ``lengths`` tells the
    frames of the episodes from a number on. UserError for a fraction that is none.
    """
    if not 0.0 < fraction < 1.0:
        raise UserError(f"expected --training.holdout-fraction between 0 and 1, got {fraction}")
    held_out = min(max(1, round(count * fraction)), count - 1)
    last = np.arange(count - held_out, count)
    if least_frames <= 1 or (lengths(count - held_out) >= least_frames).any():
        return last
    long = np.flatnonzero(lengths(0) >= least_frames)
    return long[-min(held_out, max(1, len(long) // 2)) :] if len(long) else last
