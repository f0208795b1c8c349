"""How many cores this process may use.

``python -m agent.machine.cores`` prints it, for programs that are not Python.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from agent.machine.cgroup import groups_of, number_in, read


def usable_cores() -> int:
    """Those the system lets it run on, and of these as many as its share of time fills.

    At least one. Fewer than the machine has under ``taskset`` or in a container with a quota.
    """
    has_mask = hasattr(os, "sched_getaffinity")
    allowed = len(os.sched_getaffinity(0)) if has_mask else os.cpu_count() or 1
    return max(1, min([allowed, *(int(share) for share in _shares())]))


def _shares() -> Iterator[float]:
    """Seconds of CPU a second, of every group around this process that has a quota."""
    for group in groups_of("cpu"):
        quota, _, period = read(group / "cpu.max").partition(" ")  # "max 100000" has none
        if quota.isdecimal() and period.strip().isdecimal():
            yield int(quota) / int(period)
        spent, of = number_in(group / "cpu.cfs_quota_us"), number_in(group / "cpu.cfs_period_us")
        if spent and of:  # -1 is no quota
            yield spent / of


if __name__ == "__main__":
    print(usable_cores())
