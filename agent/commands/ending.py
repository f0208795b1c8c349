"""A request to end is answered as Ctrl-C is."""

from __future__ import annotations

import os
import signal
import stat
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from types import FrameType

from agent.machine.temporary import answering

_ENDINGS = [n for n in signal.Signals if n.name in ("SIGTERM", "SIGHUP")]


def endings_as_interrupts() -> AbstractContextManager[None]:
    """Answer SIGTERM and a lost terminal as Ctrl-C: save, end the workers, say how to go on.

    Left to itself Python ends on the spot, and the workers of a comparison measure on alone. What
    is ignored already, as ``nohup`` has it, stays ignored.
    """
    answered = [n for n in _ENDINGS if signal.getsignal(n) is not signal.SIG_IGN]
    return answering(dict.fromkeys(answered, _interrupt))


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
