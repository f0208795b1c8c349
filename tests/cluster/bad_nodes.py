"""Works that kill their worker, or find that the node lacks something."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Fatal:
    """Each task ends its worker with SIGKILL the first time it is tried."""

    marks: Path

    def begin(self) -> Callable[[int], int]:
        return self.try_it

    def try_it(self, number: int) -> int:
        mark = self.marks / str(number)
        if not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return number * number


@dataclass(frozen=True)
class Lacking:
    """A node that lacks something."""

    error: Exception

    def begin(self) -> Callable[[int], int]:
        raise self.error
