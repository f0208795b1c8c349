"""What several runs of a study need, made by the first and found by the others.

Runs are on worker processes, so two may want the same thing at once: the second waits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.files.lock import exclusive

Arrays = Mapping[str, NDArray[Any]]


def made_once(path: Path, make: Callable[[], Arrays]) -> Arrays:
    """What ``make`` returns, written to ``path`` (.npz) the first time and read afterwards.

    The name of ``path`` must say what the arrays follow from: nothing in the file does.
    """
    with exclusive(path.with_suffix(".lock"), path, wait=True):
        if not path.exists():
            unfinished = path.with_suffix(".partial.npz")
            np.savez(unfinished, **make())  # type: ignore[arg-type]
            unfinished.replace(path)
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}
