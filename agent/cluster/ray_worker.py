"""What runs in a worker of Ray: the same attempts as in a process of our own."""

from __future__ import annotations

import contextlib
import os
import platform
from typing import Any

from agent.cluster.crew import Work
from agent.cluster.serving import Failed, attempted, use_one_thread

_opened: dict[str, Any] = {}  # by job: a worker of Ray serves one job, and opens its work once


def do_task(job: str, work: Work[Any, Any], directory: str, task: Any) -> Any:
    """The result of ``task``, or ``Failed``; relative names mean what they do in ``directory``."""
    if job not in _opened:
        with contextlib.suppress(OSError):  # a node that lacks it can still make worlds
            os.chdir(directory)
        use_one_thread()
        _opened.clear()
        _opened[job] = attempted(work.begin)
    do = _opened[job]
    answer = do if isinstance(do, Failed) else attempted(do, task)
    return Failed(answer.error, platform.node()) if isinstance(answer, Failed) else answer
