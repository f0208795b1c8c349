"""What libraries read from the environment when they are imported, and would do unasked.

OpenMP, which torch computes with: a thread that is done keeps its core busy while it waits for the
others. Where another program uses a core, the thread that is waited for then waits for its waiters,
and two threads are several times slower than one; where none does, threads that sleep between any
two products of small matrices are no faster than one (``benchmarks/busy_neighbour.py``). So they
sleep at once where fewer than two cores are free when the program starts, else after a moment.
OpenBLAS, numpy's, has a pool of its own that waits in the same way and knows no other: one product
of a control tick took 100 ms beside a browser, where one thread takes one. It gets one.
onnxruntime: reports its use over the network, and leaves a file in the temporary directory.
"""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from pathlib import Path

from agent.machine.cgroup import read
from agent.machine.cores import usable_cores

_ASLEEP = {  # of the standard, GNU's runtime goes by it; of LLVM's and Intel's runtime
    "OMP_WAIT_POLICY": "PASSIVE",
    "KMP_BLOCKTIME": "0",
}
_AWAKE_A_MOMENT = {"GOMP_SPINCOUNT": "10000", "KMP_BLOCKTIME": "1"}  # rounds; milliseconds
_HOW_TO_WAIT = (*_ASLEEP, "GOMP_SPINCOUNT", "KMP_LIBRARY")


def settle(
    environment: MutableMapping[str, str] = os.environ, free_cores: int | None = None
) -> None:
    """How many threads wait and how, and that nothing is reported, unless ``environment`` says.

    ``free_cores`` are counted by default. Processes started later inherit it.
    """
    if not any(name in environment for name in _HOW_TO_WAIT):
        free = usable_cores() - _running_beside() if free_cores is None else free_cores
        environment.update(_ASLEEP if free < 2 else _AWAKE_A_MOMENT)
    environment.setdefault("OPENBLAS_NUM_THREADS", "1")
    environment.setdefault("ORT_DISABLE_TELEMETRY", "1")


def _running_beside() -> int:
    """Threads of other programs that compute at this moment; 0 where the system does not tell."""
    running = read(Path("/proc/loadavg")).split()[3:4]  # "2/310": those that run, this one included
    return max(0, int(running[0].partition("/")[0]) - 1) if running else 0
