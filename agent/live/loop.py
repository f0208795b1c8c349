"""A session in real time, in a process of its own: no visitor and no page can slow it.

Over the pipe come lists of wishes, each of which asks to be shown the next tick too: so there is
never more than one moment on its way, and sending never waits for a reader.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING

from envs import fit_to_travel

if TYPE_CHECKING:  # it brings torch, which the page's process does without
    from agent.live.moment import Glimpse
    from agent.live.session import Session

    OpenSession = Callable[[Callable[[Glimpse], None]], Session]

_GONE = (EOFError, BrokenPipeError, ConnectionResetError)  # the page's process; so are we then
SPARE_S = 0.02  # a tick with so much of it left can be used for more


class Beat:
    """Keeps the time of ticks: so many were ``due`` so far, and ``late`` of them not done in time.

    A tick that takes the time of three is as many ticks late as had to be done meanwhile.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.perf_counter,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._clock, self._sleep = clock, sleep
        self.due = self.late = 0
        self._began_s = clock()

    def left_s(self, period_s: float) -> float:
        """What is left of a tick that long."""
        return self._began_s + period_s - self._clock()

    def wait(self, period_s: float) -> None:
        """Wait until the tick is over; after a late one the next begins at once."""
        now_s = self._clock()
        missed = int((now_s - self._began_s) / period_s)
        self.due += max(1, missed)
        self.late += missed
        if missed:
            self._began_s = now_s
            return
        self._sleep(self._began_s + period_s - now_s)
        self._began_s += period_s

    def rest(self, period_s: float) -> None:
        """Wait as long, where nothing is due."""
        self._sleep(period_s)
        self._began_s = self._clock()


class Sender:
    """Sends on a thread of its own, so that a slow reader of much is not waited for.

    Nothing is given to it before the reader has asked, and so nothing heaps up.
    """

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._given: SimpleQueue[object] = SimpleQueue()
        Thread(target=self._send_all, daemon=True).start()

    def give(self, value: object) -> None:
        """To be sent soon."""
        self._given.put(value)

    def _send_all(self) -> None:
        with suppress(OSError):  # the reader is gone, which who reads the pipe learns too
            while True:
                self._pipe.send(self._given.get())


def serve(pipe: Connection, open_session: OpenSession) -> None:
    """Open the session, tell its opening, and play until the pipe ends. The process's main.

    ``open_session`` tells a glimpse of the world as soon as it can.
    """
    from agent.cluster.serving import ignore_interrupts
    from agent.machine.precedence import take_precedence

    ignore_interrupts()
    with suppress(*_GONE), pipe:
        try:
            session = open_session(pipe.send)
            pipe.send(session.opening)
            take_precedence()  # not before: what it loads must not keep a browser waiting
            _keep_playing(pipe, session, Beat())
        except _GONE:
            raise
        except Exception as error:
            pipe.send(fit_to_travel(error))


def _keep_playing(pipe: Connection, session: Session, beat: Beat) -> None:
    asked, sender = False, Sender(pipe)
    while True:
        while pipe.poll():
            session.grant(pipe.recv())
            asked = True
        passed = session.step()
        if asked:
            sender.give(session.show(beat.late, beat.due))
            asked = False
        if beat.left_s(session.period_s) > SPARE_S:
            session.use_spare_time()
        (beat.wait if passed else beat.rest)(session.period_s)
