"""A session in real time, in a process of its own: no visitor and no page can slow it.

Over the pipe come lists of wishes, each of which asks to be shown the next tick too: so there is
never more than one moment on its way, and sending never waits for a reader.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # it brings torch, which the page's process does without
    from agent.live.session import Session

SPARE_S = 0.02  # a tick with so much of it left can be used for more


class Beat:
    """Keeps the time of ticks, and counts those that did not end in theirs."""

    def __init__(
        self,
        clock: Callable[[], float] = time.perf_counter,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._clock, self._sleep = clock, sleep
        self.ticks = self.late = 0
        self._began_s = clock()

    def left_s(self, period_s: float) -> float:
        """What is left of a tick that long."""
        return self._began_s + period_s - self._clock()

    def wait(self, period_s: float) -> None:
        """Wait until the tick is over; after a late one the next begins at once."""
        left_s = self.left_s(period_s)
        self.ticks += 1
        if left_s < 0:
            self.late += 1
            self._began_s = self._clock()
            return
        self._sleep(left_s)
        self._began_s += period_s


def serve(pipe: Connection, open_session: Callable[[], Session]) -> None:
    """Open the session, tell its opening, and play until the pipe ends. The process's main."""
    from agent.cluster.serving import ignore_interrupts

    ignore_interrupts()
    try:
        with pipe:
            _play(pipe, open_session)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        pass  # the page's process is done or gone, and so are we


def _play(pipe: Connection, open_session: Callable[[], Session]) -> None:
    try:
        session = open_session()
        pipe.send(session.opening)
        _keep_playing(pipe, session, Beat())
    except (EOFError, BrokenPipeError, ConnectionResetError):
        raise
    except Exception as error:
        pipe.send(error)


def _keep_playing(pipe: Connection, session: Session, beat: Beat) -> None:
    asked = False
    while True:
        while pipe.poll():
            session.grant(pipe.recv())
            asked = True
        session.step()
        if asked:
            pipe.send(session.show(beat.late))
            asked = False
        while beat.left_s(session.period_s) > SPARE_S and not pipe.poll():
            if not session.use_spare_time():
                break
        beat.wait(session.period_s)
