"""How much memory this process may still take, and how much it took."""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agent.machine.cgroup import groups_of, number_in

_LIMITS = (  # of a group of version 2 and of 1: the limit, what is used, and files read long ago
    ("memory.max", "memory.current", "inactive_file"),
    ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
)
_OF_THIS_PROCESS = Path("/proc/self/status")  # in units of 1024 bytes
_sharing = 1  # processes that take their memory at once, this one among them
_PEAK_UNIT_BYTES = 1 if sys.platform == "darwin" else 1024  # getrusage differs between systems


def peak_memory_mb() -> float:
    """The most this process held resident so far [MB]; a run before ``--resume`` does not count."""
    held = number_in(_OF_THIS_PROCESS, "VmHWM:")
    if held is not None:  # getrusage counts what the parent held when it forked
        return round(held * 1024 / 1e6, 1)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak * _PEAK_UNIT_BYTES / 1e6, 1)


def used_memory_bytes() -> int:
    """What this process holds resident now; the most it held where the system does not say."""
    held = number_in(_OF_THIS_PROCESS, "VmRSS:")
    return int(peak_memory_mb() * 1e6) if held is None else held * 1024


@contextmanager
def sharing_memory(processes: int) -> Iterator[None]:
    """In the body this is one of so many processes that take what is available."""
    global _sharing
    before, _sharing = _sharing, processes
    try:
        yield
    finally:
        _sharing = before


def available_memory_bytes() -> int:
    """Memory that can be taken without swapping, a container's limit included; our share of it."""
    return min([_of_machine(), *_of_containers()]) // _sharing


def _of_machine() -> int:
    # Linux counts reclaimable page cache as available; sysconf counts only what lies idle.
    free = number_in(Path("/proc/meminfo"), "MemAvailable:")
    if free is not None:
        return free * 1024
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2


def _of_containers() -> Iterator[int]:
    """What is left in every group that has a limit; cached files that it can drop are free."""
    for group in groups_of("memory"):
        for limit_file, used_file, droppable in _LIMITS:
            limit, used = number_in(group / limit_file), number_in(group / used_file)
            if limit is not None and used is not None:
                cached = number_in(group / "memory.stat", droppable) or 0
                yield max(0, limit - max(0, used - cached))
