"""The page's end of the pipe to a session's process."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Self, TypeVar

from agent.cluster.processes import children_ignore_interrupts
from agent.errors import LOST_WORKER, MachineError
from agent.live.loop import serve
from agent.live.moment import Glimpse, Moment, Opening
from agent.live.wishes import Wish

if TYPE_CHECKING:
    from agent.live.loop import OpenSession

Told = TypeVar("Told", Glimpse, Opening, Moment)
STOP_TIMEOUT_S = 5.0
REST_S, LONGEST_REST_S, UNSEEN_REST_S = 0.02, 0.08, 0.25
MAX_WAITING = 64  # wishes between two ticks: nobody asks for more by hand


class Link:
    """Starts the process; a context manager that leaves none behind.

    ``open_session`` is called in that process. Wishes may be asked for on any thread.
    """

    def __init__(self, open_session: OpenSession) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=serve, args=(theirs, open_session), name="live-session", daemon=True
        )
        with children_ignore_interrupts():
            self._process.start()
        theirs.close()
        self._waiting: dict[object, Wish] = {}
        self._lock, self._asked = threading.Lock(), threading.Event()

    def glimpse(self) -> Glimpse:
        """Wait for the world; errors as of :meth:`opening`, which comes next."""
        return self._received(Glimpse)

    def opening(self) -> Opening:
        """Wait for the session to be open.

        Raises:
            What opening it raised; MachineError if its process died.
        """
        return self._received(Opening)

    def ask(self, wish: Wish) -> bool:
        """Grant ``wish`` with the next tick, in place of a like one that waits.

        False, and nothing is done, where too many wait already.
        """
        with self._lock:
            if wish.key not in self._waiting and len(self._waiting) >= MAX_WAITING:
                return False
            self._waiting[wish.key] = wish
            self._asked.set()
            return True

    def next_moment(self) -> Moment:
        """Send what waits, and wait for the next tick.

        Raises:
            What ended the session; MachineError if its process died.
        """
        with self._lock:
            wishes, self._waiting = list(self._waiting.values()), {}
            self._asked.clear()
        with suppress(BrokenPipeError, ConnectionResetError):  # what it said last is still to come
            self._pipe.send(wishes)
        return self._received(Moment)

    def moments(self, is_seen: Callable[[], bool] = lambda: True) -> Iterator[Moment]:
        """Tick after tick; fewer while some are late or nobody looks, as showing them costs.

        Raises:
            What ended the session; MachineError if its process died.
        """
        rest_s, late_ticks = 0.0, 0
        while True:
            moment = self.next_moment()
            yield moment
            is_late, late_ticks = moment.late_ticks > late_ticks, moment.late_ticks
            rest_s = min(rest_s + REST_S, LONGEST_REST_S) if is_late else max(rest_s - REST_S, 0.0)
            self._asked.wait(rest_s if is_seen() else UNSEEN_REST_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *unused: object) -> None:
        self._pipe.close()  # the session sees the end and leaves on its own
        if kind is not None:
            self._process.kill()  # it may be opening still, and has nothing to save
        self._process.join(STOP_TIMEOUT_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    def _received(self, kind: type[Told]) -> Told:
        try:
            told = self._pipe.recv()
        except (EOFError, ConnectionResetError) as lost:
            raise self._death() from lost
        if isinstance(told, Exception):
            raise told
        assert isinstance(told, kind)
        return told

    def _death(self) -> MachineError:
        self._process.join(STOP_TIMEOUT_S)
        code = self._process.exitcode
        return MachineError(f"the session's process died with exit code {code}, {LOST_WORKER}")
