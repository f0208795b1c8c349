"""Workers that are one busy core each."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

_ONE_EACH = {
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    "LP_NUM_THREADS": "0",  # Mesa's rasteriser: beside the one that asks for a picture
}


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Processes started in the body are told to compute, and to draw, with one thread.

    The libraries read it when they are loaded: a worker that sets it itself is late. numpy's has a
    pool beside torch's, and two such workers on two cores wait for one another half of the time.
    """
    before = {name: os.environ.get(name) for name in _ONE_EACH}
    os.environ.update(_ONE_EACH)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
