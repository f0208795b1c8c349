"""A request to end is answered as Ctrl-C is."""

from __future__ import annotations

import os
import signal
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

_ENDINGS = [n for n in signal.Signals if n.name in ("SIGTERM", "SIGHUP")]


@contextmanager
def endings_as_interrupts() -> Iterator[None]:
    """Answer SIGTERM and a lost terminal as Ctrl-C: save, end the workers, say how to go on.

    Left to itself Python ends on the spot, and the workers of a comparison measure on alone. What
    is ignored already, as ``nohup`` has it, stays ignored.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in _ENDINGS}
    answered = [number for number, answer in before.items() if answer is not signal.SIG_IGN]
    for number in answered:
        signal.signal(number, _interrupt)
    try:
        yield
    finally:
        for number in answered:
            signal.signal(number, before[number])


def _interrupt(number: int, frame: FrameType | None) -> None:
    if signal.Signals(number).name == "SIGHUP":
        signal.signal(number, signal.SIG_IGN)  # shell and system both send it; the first counts
        _let_go_of_the_terminal()
    answer = signal.getsignal(signal.SIGINT)
    if not callable(answer):  # Ctrl-C is ignored, as in a shell's background job
        raise KeyboardInterrupt
    answer(signal.SIGINT, frame)


def _let_go_of_the_terminal() -> None:
    """Whatever is still said goes nowhere; said to a terminal that is gone it would be an error."""
    with Path(os.devnull).open("w") as nowhere:
        for descriptor in (1, 2):
            with suppress(OSError):  # there may be none
                if stat.S_ISCHR(os.fstat(descriptor).st_mode):
                    os.dup2(nowhere.fileno(), descriptor)
