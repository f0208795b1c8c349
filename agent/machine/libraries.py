"""What libraries read from the environment when they are imported, and would do unasked.

OpenMP, which torch computes with: a thread that is done keeps its core busy while it waits for the
others. Where another program uses a core, the thread that is waited for then waits for its waiters,
and two threads are several times slower than one (``benchmarks/busy_neighbour.py``). onnxruntime:
reports its use over the network, and leaves a file in the temporary directory.
"""

from __future__ import annotations

import os
from collections.abc import MutableMapping

_ASLEEP = {  # of the standard, GNU's runtime goes by it; of LLVM's and Intel's runtime
    "OMP_WAIT_POLICY": "PASSIVE",
    "KMP_BLOCKTIME": "0",
}
_HOW_TO_WAIT = (*_ASLEEP, "GOMP_SPINCOUNT", "KMP_LIBRARY")


def settle(environment: MutableMapping[str, str] = os.environ) -> None:
    """Threads sleep while they wait and nothing is reported, unless ``environment`` says otherwise.

    Processes started later inherit it.
    """
    if not any(name in environment for name in _HOW_TO_WAIT):
        environment.update(_ASLEEP)
    environment.setdefault("ORT_DISABLE_TELEMETRY", "1")
