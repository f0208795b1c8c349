"""How much memory this process may still take, and how much it took."""

from __future__ import annotations

import os
import resource
import sys
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")
_PEAK_UNIT_BYTES = 1 if sys.platform == "darwin" else 1024  # getrusage differs between systems


def peak_memory_mb() -> float:
    """The most this process held resident so far [MB]; a run before ``--resume`` does not count."""
    for line in _read(Path("/proc/self/status")).splitlines():
        if line.startswith("VmHWM:"):  # getrusage counts what the parent held when it forked
            return round(int(line.split()[1]) * 1024 / 1e6, 1)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak * _PEAK_UNIT_BYTES / 1e6, 1)


def available_memory_bytes() -> int:
    """Memory that can be taken without swapping, a container's limit included."""
    limits = [_of_machine(), _of_container()]
    return min(limit for limit in limits if limit is not None)


def _of_machine() -> int:
    # Linux counts reclaimable page cache as available; sysconf counts only what lies idle.
    for line in _read(Path("/proc/meminfo")).splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2


def _of_container() -> int | None:
    limit, used = _read(_CGROUP / "memory.max").strip(), _read(_CGROUP / "memory.current").strip()
    if not limit.isdecimal() or not used.isdecimal():
        return None  # "max", or no such file: no limit
    return max(0, int(limit) - int(used))


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
