"""That a process which keeps time is not made to wait for those beside it."""

from __future__ import annotations

import os
from pathlib import Path

NICENESS = -10
OWN_GROUP = Path("/proc/self/autogroup")


def take_precedence() -> None:
    """As much of it as the system grants; call it in a process of one's own.

    Linux shares the cores among sessions of processes first, and within them next: a session of
    its own is the share of a whole browser, and anybody may have it. Only an administrator may be
    served before others.
    """
    try:
        if hasattr(os, "setsid"):
            os.setsid()
        OWN_GROUP.write_text(str(NICENESS))
        os.nice(NICENESS)
    except OSError:
        pass  # it is led already, or there is no such thing, or it is not for us
