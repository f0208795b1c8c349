"""torch draws weights and dropout from one stream for the whole program; here it is borrowed.

Whoever uses us has that stream too, and may use us from several threads: a block has it to itself,
and leaves it as it was.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

_ONE_AT_A_TIME = threading.RLock()


@contextmanager
def own_chance(seed: int | None = None) -> Iterator[None]:
    """A block in which torch's stream begins at ``seed``, or goes on where that does not matter."""
    with _ONE_AT_A_TIME, torch.random.fork_rng(devices=[]):
        if seed is not None:
            torch.manual_seed(seed)
        yield
