"""What a camera showed lately: whether a picture is an old one, and how far the world moved."""

from __future__ import annotations

from collections import deque

import numpy as np

from agent.interfaces import FloatArray, Image

REMEMBERED = 25  # ticks in which a picture should not come back while the world moves
_TO_AND_FRO = 3  # a world that is pushed to and fro may look as it did two ticks ago
_IN_ORDER = 2  # pictures before this one; one that comes back with one may be a bounce


class Lately:
    """One episode's last pictures.

    ``ticks_ago`` is when this very picture was shown last, 0 if it was not lately; ``moved`` the
    mean square by which its embedding differs from the one before.
    """

    def __init__(self) -> None:
        self.ticks_ago, self.moved, self.is_in_old_order = 0, 0.0, False
        self._shown: deque[int] = deque(maxlen=REMEMBERED)
        self._was: FloatArray | None = None

    def show(self, frame: Image, embedding: FloatArray) -> None:
        """The picture uint8 (h, w, 3) of this tick, with its embedding (D,)."""
        mark, shown = hash(frame.tobytes()), [*reversed(self._shown)]
        self.ticks_ago = ago = shown.index(mark) + 1 if mark in shown else 0
        before, last = shown[ago : ago + _IN_ORDER], shown[:_IN_ORDER]
        self.is_in_old_order = ago >= _TO_AND_FRO and before == last
        self._shown.append(mark)
        was, self._was = self._was, embedding
        self.moved = np.inf if was is None else float(np.square(embedding - was).mean())

    @property
    def is_old(self) -> bool:
        """Whether this very picture was shown within the last ``REMEMBERED`` ticks."""
        return self.ticks_ago > 0

    @property
    def is_back(self) -> bool:
        """Whether the picture is an old one, and none of the last two."""
        return self.ticks_ago >= _TO_AND_FRO
