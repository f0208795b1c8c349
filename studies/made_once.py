"""What several runs of a study need, made by the first and found by the others.

Runs are on worker processes, so two may want the same thing at once: the second waits.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.files.lock import exclusive

Arrays = Mapping[str, NDArray[Any]]


def made_once(path: Path, make: Callable[[], Arrays]) -> Arrays:
    """What ``make`` returns, written to the folder ``path`` the first time and found afterwards.

    The arrays stay on disk, read-only, and parts of them are read as they are used: all runs
    together need the memory of one. The name of ``path`` must say what the arrays follow from:
    nothing in the files does.
    """
    with exclusive(path.with_suffix(".lock"), path, wait=True):
        if not path.exists():
            unfinished = path.with_suffix(".partial")
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            for name, array in make().items():
                np.save(unfinished / f"{name}.npy", array)
            unfinished.rename(path)
    return {file.stem: np.load(file, mmap_mode="r") for file in path.glob("*.npy")}
