"""A request to end is answered as Ctrl-C is."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def endings_as_interrupts() -> Iterator[None]:
    """Answer SIGTERM as Ctrl-C: save, end the workers, say how to go on.

    Left to itself Python ends on the spot, and the workers of a comparison measure on alone.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


def _interrupt(number: int, frame: FrameType | None) -> None:
    answer = signal.getsignal(signal.SIGINT)
    if not callable(answer):  # Ctrl-C is ignored, as in a shell's background job
        raise KeyboardInterrupt
    answer(signal.SIGINT, frame)
