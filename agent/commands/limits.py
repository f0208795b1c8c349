"""A limit on memory that the libraries break at, some of them without end, is refused first."""

from __future__ import annotations

from agent.errors import MachineError

LEAST_ADDRESSES_GB = 3.0  # what torch, MuJoCo and a few threads reserve, most of it never used


def require_addresses() -> None:
    """MachineError where ``ulimit -v`` leaves this process fewer than the libraries reserve."""
    try:
        import resource
    except ImportError:  # a system without such limits
        return
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY and limit < LEAST_ADDRESSES_GB * 1e9:
        raise MachineError(
            f"expected room for {LEAST_ADDRESSES_GB:g} GB of addresses, got a limit of "
            f"{limit / 1e9:.1f} GB: raise it with `ulimit -v unlimited`, or limit the memory that "
            "is really used (a container, systemd-run -p MemoryMax)"
        )
