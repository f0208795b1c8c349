"""A session in real time, in a process of its own: no visitor and no page can slow it.

Over the pipe come lists of wishes, each of which asks to be shown the next tick too: so there is
never more than one moment on its way, and sending never waits for a reader.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from multiprocessing.connection import Connection

from agent.data.worker import ignore_interrupts
from agent.live.session import Session


class Beat:
    """Keeps the time of ticks ``period_s`` apart, and counts those that did not end in theirs."""

    def __init__(
        self,
        period_s: float,
        clock: Callable[[], float] = time.perf_counter,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.period_s, self._clock, self._sleep = period_s, clock, sleep
        self.ticks = self.late = 0
        self._due_s = clock() + period_s

    def wait(self) -> None:
        """Wait until the tick is over; after a late one the next begins at once."""
        now_s = self._clock()
        self.ticks += 1
        if now_s > self._due_s:
            self.late += 1
            self._due_s = now_s + self.period_s
            return
        self._sleep(self._due_s - now_s)
        self._due_s += self.period_s


def serve(pipe: Connection, open_session: Callable[[], Session]) -> None:
    """Open the session, tell its opening, and play until the pipe ends. The process's main."""
    ignore_interrupts()
    try:
        with pipe:
            _play(pipe, open_session)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        pass  # the page's process is done or gone, and so are we


def _play(pipe: Connection, open_session: Callable[[], Session]) -> None:
    try:
        session = open_session()
    except Exception as error:
        pipe.send(error)
        return
    pipe.send(session.opening)
    beat, asked = Beat(session.opening.step_s), False
    while True:
        while pipe.poll():
            session.grant(pipe.recv())
            asked = True
        session.step()
        if asked:
            pipe.send(session.show())
            asked = False
        beat.wait()
