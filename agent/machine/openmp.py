"""How the threads of OpenMP, which torch computes with, wait for one another.

Left to itself a thread that is done keeps its core busy while it waits. Where another program uses
a core, the thread that is waited for then waits for its waiters, and two threads are several times
slower than one (``benchmarks/busy_neighbour.py``).
"""

from __future__ import annotations

import os
from collections.abc import MutableMapping

_QUIET = {  # of the standard; of LLVM's and Intel's runtime; GNU's goes by the standard's
    "OMP_WAIT_POLICY": "PASSIVE",
    "KMP_BLOCKTIME": "0",
}
_SAID_BY_USER = (*_QUIET, "GOMP_SPINCOUNT", "KMP_LIBRARY")


def wait_quietly(environment: MutableMapping[str, str] = os.environ) -> None:
    """Let threads sleep while they wait, unless ``environment`` says already how they wait.

    OpenMP reads it once, when torch is first imported; processes started later inherit it.
    """
    if not any(name in environment for name in _SAID_BY_USER):
        environment.update(_QUIET)
