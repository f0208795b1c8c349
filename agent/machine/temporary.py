"""What holds for a block and is undone after it: the environment, and answers to signals."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

# Of workers that are one busy core each. The libraries read it when they are loaded: a worker that
# sets it itself is late. numpy's has a pool beside torch's, and two such workers on two cores wait
# for one another half of the time.
ONE_THREAD_EACH = {
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    # Mesa's software OpenGL counts those beside the one that asks for a picture; by default it
    # starts as many as there are cores, in every worker.
    "LP_NUM_THREADS": "0",
}


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """``variables`` of the environment, which processes started in the body inherit."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def answering(answers: Mapping[signal.Signals, Any]) -> Iterator[None]:
    """Signals are answered so, and as before after it, whatever changed it in the body.

    Only the main thread may say what a signal does: on another one nothing is changed.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in answers}
    try:
        for number, answer in answers.items():
            signal.signal(number, answer)
        yield
    finally:
        for number, answer in before.items():
            signal.signal(number, answer)
