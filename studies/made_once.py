"""What several runs of a study need, made by the first and found by the others.

Runs are on worker processes, so two may want the same thing at once: the second waits.
"""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = Mapping[str, NDArray[Any]]


@contextmanager
def one_at_a_time(path: Path) -> Iterator[None]:
    """Wait while another process is in here with the same ``path``, an empty file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def made_once(path: Path, make: Callable[[], Arrays]) -> Arrays:
    """What ``make`` returns, written to ``path`` (.npz) the first time and read afterwards.

    The name of ``path`` must say what the arrays follow from: nothing in the file does.
    """
    with one_at_a_time(path.with_suffix(".lock")):
        if not path.exists():
            unfinished = path.with_suffix(".partial.npz")
            np.savez(unfinished, **make())  # type: ignore[arg-type]
            unfinished.replace(path)
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}
