"""For every test, and the programs it starts: one thread.

Set before torch is imported, because OpenMP reads it once; two threads on a busy machine make
tests slower, not faster.
"""

import os
import signal

os.environ["OMP_NUM_THREADS"] = "1"


def pytest_sessionstart() -> None:
    """Answer Ctrl-C, also where the shell started the tests with interrupts ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
