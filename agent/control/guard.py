"""Whether what is seen can be acted on: a camera that hangs, a lens that is covered, a world that
does not follow.

A controller that acts on a wrong picture is dangerous, and it cannot know from the model alone: a
picture that stands still is predicted perfectly once the estimate of drift has swallowed the error.
So four things are watched, each against a limit that held-out recordings gave
(:mod:`agent.model.sight`): how strange a frame is; how far it is from the prediction, before drift
is taken into account; drift itself; and, far more strictly, that distance where the frame is one
that was shown before. The episode is then held, with its actions at zero, until sight has been
sound for as long as the model's memory; for twice as long each time that trouble comes back soon.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from agent.interfaces import FloatArray, Image
from agent.model.sight import Sight

REMEMBERED = 25  # ticks in which a picture should not come back while the world moves
OLD_TICKS, OF_TICKS = 2, 5  # so many of the last that were old ones: a camera hangs
SOON_TICKS = 50
LONGEST_WAIT = 400


class SightGuard:
    """Watches the frames of E episodes; ``held`` says why an episode is held, None where it is not.

    Args:
        sight: the model's; None holds nothing.
        episodes: E.
        memory_ticks: how many ticks back the model's inputs reach.
    """

    def __init__(self, sight: Sight | None, episodes: int, memory_ticks: int) -> None:
        self._sight, self._memory = sight, memory_ticks
        self.held: list[str | None] = [None] * episodes
        self._watches = [_Watch(memory_ticks) for _ in range(episodes)]

    def look(
        self,
        frames: Image,
        embeddings: FloatArray,
        news: FloatArray | None,
        drift: FloatArray,
    ) -> None:
        """Judge this tick.

        Args:
            frames: uint8 (E, h, w, 3).
            embeddings: (E, D) of them.
            news: (E,) mean square of the prediction's error, drift left in; None before there is
                a prediction.
            drift: (E,) mean square of its running mean.
        """
        if self._sight is None:
            return
        strange = self._sight.strangeness(frames, embeddings)
        errors = np.zeros(len(frames), np.float32) if news is None else news
        for episode, watch in enumerate(self._watches):
            old = watch.seen_before(frames[episode])
            found = self._trouble(strange[episode], errors[episode], drift[episode], watch, old)
            self.held[episode] = watch.judge(found, old)

    def _trouble(
        self, strange: float, news: float, drift: float, watch: _Watch, old: bool
    ) -> str | None:
        """The first thing that is wrong; what the model foresaw counts only when it saw soundly."""
        sight = self._sight
        assert sight is not None
        if strange > 1:
            return (
                f"the picture is {strange:.1f} times as strange as one of this world may be: is "
                "the camera covered, moved, or its light or colours changed?"
            )
        if watch.reason is not None:
            return None
        if watch.hangs(old and news > sight.still_limit):
            return "the camera shows old pictures while the world should move: does it hang?"
        if news > sight.news_limit or drift > sight.drift_limit:
            times = max(news / sight.news_limit, drift / sight.drift_limit)
            return f"the world did not do what was foreseen, by {times:.1f} times what it may"
        return None


class _Watch:
    """One episode: what was shown lately, and since when it is held."""

    def __init__(self, memory_ticks: int) -> None:
        self.reason: str | None = None
        self._shown: deque[int] = deque(maxlen=REMEMBERED)
        self._old: deque[bool] = deque(maxlen=OF_TICKS)
        self._least = self._wait = memory_ticks + 1
        self._sound_ticks = 0  # since the trouble, or since the end of the last hold
        self._held_before = self._stuck = False

    def seen_before(self, frame: Image) -> bool:
        """Whether this very picture was shown within the last ``REMEMBERED`` ticks."""
        mark = hash(frame.tobytes())
        old = mark in self._shown
        self._shown.append(mark)
        return old

    def hangs(self, old: bool) -> bool:
        """Whether several of the last pictures were old ones that should have been new."""
        self._old.append(old)
        self._stuck = sum(self._old) >= OLD_TICKS
        return self._stuck

    def judge(self, trouble: str | None, old: bool) -> str | None:
        """Hold, go on holding, or let go; the reason while it is held."""
        self._stuck = self._stuck and old
        if trouble is not None:
            self._hold(trouble)
        elif self.reason is not None and self._stuck:
            self._sound_ticks = 0
        else:
            self._sound_ticks += 1
        if self.reason is not None and self._sound_ticks >= self._wait:
            self.reason, self._sound_ticks = None, 0
        return self.reason

    def _hold(self, trouble: str) -> None:
        if self.reason is None:
            again = self._held_before and self._sound_ticks < SOON_TICKS
            self._wait = min(2 * self._wait, LONGEST_WAIT) if again else self._least
            self._held_before = True
            self._old.clear()
        self.reason, self._sound_ticks = trouble, 0
