"""Ctrl-C between two things that must be done as a whole, never within one."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def interrupts_held_back() -> Iterator[list[tuple[Any, ...]]]:
    """Answer Ctrl-C only when the block is done; gives the list that it then waits in.

    A training step that is cut short has already moved some weights or BatchNorm statistics, and a
    state saved then would not continue as if nothing had happened. In a call of OpenGL it comes out
    as ``ctypes.ArgumentError``, and leaves contexts that were made by half. Outside the main
    thread, where Python never raises ``KeyboardInterrupt``, this does nothing.
    """
    previous = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(previous):
        yield []
        return
    received: list[tuple[Any, ...]] = []
    signal.signal(signal.SIGINT, lambda *arguments: received.append(arguments))
    try:
        yield received
    finally:
        signal.signal(signal.SIGINT, previous)
    if received:
        previous(*received[0])
