"""Whether what is seen can be acted on: a camera that hangs, a lens that is covered, a world that
does not follow.

A controller that acts on a wrong picture is dangerous, and it cannot know from the model alone: a
picture that stands still is predicted perfectly once the estimate of drift has swallowed the error.
So this is watched, each against a limit that recordings gave (:mod:`agent.model.sight`):

- how strange a frame is;
- how far it is from the prediction, before drift is taken into account, and drift itself;
- far more strictly, that distance where the world stands still in the picture and actions push it
  to a place where it can be, unless it was blocked there in pictures that were new; and pictures
  that come back while it moves, unless it was to go into a wall and bounces: one that jumps back,
  or three in their old order;
- how much of the way that was foreseen it went, where nothing was in its way: a picture that is
  mirrored goes back;
- between the two, that distance times how far the frame's embedding lies beside those of training
  frames: a picture of which a part is old is a little of both, three times in a row.

The episode is then held, with its actions at zero, until sight has been sound for as long as the
model's memory; for twice as long from the third time on that trouble comes back soon.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from agent.control.lately import Lately
from agent.interfaces import FloatArray, Image
from agent.model.sight import Sight

OLD_TICKS, OF_TICKS = 2, 5  # so many of the last that were old ones: a camera hangs
ODD_TICKS = 3  # in a row: a world that hits something hard is unforeseen for two
GOING_SHARE = 0.1  # of the limit of errors: it was foreseen to go by more than that
FOLLOWS = 0.4  # of that way: less in two ticks, or back in one, is another way
BACK = -0.25
LEAST_PUSH = 0.002  # mean square of the actions; with less a world may rest, or rock about it
STILL_SHARE = 0.003  # of the error: a picture that moved by less stood still
WALLED_SHARE = 0.14  # of the error: by so much beside the known lies what a wall forbids
BLOCKED_TIMES = 1.5  # the error under the last new picture, where that hardly moved either
BACK_TIMES = 4.0  # the limit at rest: a jump to an old picture by more is one
MOVED_SHARE = 0.00025  # of the limit of errors: an old order of pictures that moved by more
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
        self._sight = sight
        self.held: list[str | None] = [None] * episodes
        self._watches = [_Watch(memory_ticks, sight) for _ in range(episodes) if sight is not None]

    def look(
        self,
        frames: Image,
        embeddings: FloatArray,
        errors: FloatArray | None,
        before: FloatArray | None,
        drift: FloatArray,
        pushes: FloatArray,
    ) -> None:
        """Judge this tick.

        Args:
            frames: uint8 (E, h, w, 3).
            embeddings: (E, D) of them.
            errors: (E, D) of predicting them, drift left in; None before there is a prediction.
            before: (E, D), the embeddings a model step ago, from which they were predicted.
            drift: (E,) mean square of its running mean.
            pushes: (E,) mean square of the actions of the last model step.
        """
        if self._sight is None:
            return
        strange, aside = self._sight.look(frames, embeddings)
        missed = np.zeros_like(embeddings) if errors is None else errors
        for i, watch in enumerate(self._watches):
            watch.lately.show(frames[i], embeddings[i])
            watch.foreseen = embeddings[i] - missed[i]
            if before is not None:
                watch.way = _way(watch.foreseen - before[i], embeddings[i] - before[i])
            news = np.square(missed[i]).mean()
            self.held[i] = watch.judge(strange[i], aside[i], news, drift[i], pushes[i])


def _way(foreseen: FloatArray, gone: FloatArray) -> tuple[float, float]:
    """The mean square of a motion (D,) that was foreseen, and the share of it that was gone."""
    way = float(np.square(foreseen).mean())
    return way, float((foreseen * gone).mean()) / max(way, 1e-12)


class _Watch:
    """One episode: what was shown lately, and since when it is held."""

    def __init__(self, memory_ticks: int, sight: Sight) -> None:
        self.reason: str | None = None
        self.lately = Lately()
        self.foreseen: FloatArray | None = None  # (D,), what the embedding should have been
        self.way = (0.0, 1.0)  # mean square of the foreseen motion, and the share that was gone
        self._sight, self._odd_limit = sight, sight.odd_limit  # found before the first tick
        self._old: deque[bool] = deque(maxlen=OF_TICKS)
        self._odd_ticks = self._other_ticks = 0
        self._rested = False  # the picture before this one
        self._blocked = 0.0  # the error under the last new picture, if that hardly moved
        self._least = self._wait = memory_ticks + 1
        self._sound_ticks = 0  # since the trouble, or since the end of the last hold
        self._holds = 0  # one soon after the other
        self._stuck = False

    def judge(
        self, strange: float, aside: float, news: float, drift: float, push: float
    ) -> str | None:
        """Hold, go on holding, or let go; the reason while it is held."""
        trouble = self._strange(strange) or self._unforeseen(aside, news, drift, push)
        self._stuck = self._stuck and self.lately.is_old
        if trouble is not None:
            self._hold(trouble)
        elif self.reason is not None and self._stuck:
            self._sound_ticks = 0
        else:
            self._sound_ticks += 1
        if self.reason is not None and self._sound_ticks >= self._wait:
            self.reason, self._sound_ticks = None, 0
        return self.reason

    def _strange(self, strange: float) -> str | None:
        if not strange > 1:
            return None
        return (
            f"the picture is {strange:.1f} times as strange as one of this world may be: is "
            "the camera covered, moved, or its light or colours changed? (if it is to stay so: "
            "`calibrate`)"
        )

    def _unforeseen(self, aside: float, news: float, drift: float, push: float) -> str | None:
        """What the model foresaw counts only when it saw soundly."""
        if self.reason is not None:
            return None
        sight = self._sight
        if self._hangs(news, push):
            return "the camera shows old pictures while the world should move: does it hang?"
        self._odd_ticks = self._odd_ticks + 1 if aside * news > self._odd_limit else 0
        if self._odd_ticks >= ODD_TICKS:
            return "the picture is neither foreseen nor like any other: is a part of it old?"
        if self._goes_elsewhere(news):
            return (
                "the world goes another way than foreseen: is the camera turned or mirrored, or do "
                "actions act later than delay_ticks says?"
            )
        if news > sight.news_limit or drift > sight.drift_limit:
            times = max(news / sight.news_limit, drift / sight.drift_limit)
            return f"the world did not do what was foreseen, by {times:.1f} times what it may"
        return None

    def _goes_elsewhere(self, news: float) -> bool:
        """Whether it should have gone, and went another way though nothing was in its way."""
        way, share = self.way
        goes = way > GOING_SHARE * self._sight.news_limit and share < FOLLOWS
        other = goes and self._could_move(news, WALLED_SHARE / 2)
        self._other_ticks = self._other_ticks + 1 if other else 0
        return self._other_ticks > 1 or (other and share < BACK)

    def _hangs(self, news: float, push: float) -> bool:
        """Whether several of the last pictures were old ones that should have been new."""
        bounces = news > self._sight.still_limit / 2 and not self._could_move(news)
        back = not bounces and self._is_back(news)
        self._old.append(back or self._stands_still(news, push))
        replays = not bounces and self._replays(push)
        self._stuck = replays or sum(self._old) >= OLD_TICKS
        return self._stuck

    def _stands_still(self, news: float, push: float) -> bool:
        """Whether it rests for no reason; a new picture that did so too shows that it has one."""
        sight, lately = self._sight, self.lately
        rests, rested = lately.moved < STILL_SHARE * news, self._rested
        least = max(sight.still_limit_at(push), BLOCKED_TIMES * self._blocked)
        same = lately.ticks_ago == 1 and news > least
        same |= rests and rested and news > sight.still_limit
        self._rested = rests
        if not lately.is_old:
            self._blocked = news if rests else 0.0
        return push > LEAST_PUSH and same and self._could_move(news)

    def _is_back(self, news: float) -> bool:
        """Whether it jumped to an old picture."""
        least = BACK_TIMES * self._sight.still_limit_at(0)
        return self.lately.is_back and news > self.lately.moved > least

    def _replays(self, push: float) -> bool:
        """Whether it moves as it did before, picture by picture."""
        moves = self.lately.moved > MOVED_SHARE * self._sight.news_limit
        return push > LEAST_PUSH and moves and self.lately.is_in_old_order

    def _could_move(self, news: float, walled: float = WALLED_SHARE) -> bool:
        """Whether what was foreseen is a place of this world, and not in one of its walls."""
        assert self.foreseen is not None
        return float(self._sight.beside_known(self.foreseen[None])[0]) < walled * news

    def _hold(self, trouble: str) -> None:
        if self.reason is None:
            soon = self._holds > 0 and self._sound_ticks < SOON_TICKS
            self._holds = self._holds + 1 if soon else 1
            again = min(2 * self._wait, LONGEST_WAIT)
            self._wait = again if self._holds > 2 else self._least
            self._old.clear()
            self._odd_ticks = self._other_ticks = 0
        self.reason, self._sound_ticks = trouble, 0
