"""One shard: the rows of some whole episodes as an HDF5 file.

An episode of T env steps has T+1 rows; row t holds the frame and the state at time t and the
action between t and t+1, so the last row's action is NaN. Column names follow stable-worldmodel.
Where no state is known there is no such column. The same rows always give the same bytes: no time
stamp, a pinned file format.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import h5py
import numpy as np
from numpy.typing import NDArray

from agent.interfaces import Array, FloatArray, Image
from envs import RollOut

# What h5py, HDF5, zlib and the checks of ``reading`` raise on a file that is not what it should be.
UNREADABLE = (OSError, KeyError, RuntimeError, ValueError, TypeError, zlib.error)
_h5py: Any = h5py  # it has no types
_FORMAT = ("v110", "v110")  # HDF5 1.10 and later can read it


@dataclass(frozen=True)
class Columns:
    """All of a shard but its pictures.

    ``action`` float32 (N, A), NaN in the last row of an episode; ``state`` float64 (N, S), S = 0
    where none is known; ``ep_len`` int64 (E,) rows of each episode.
    """

    action: FloatArray
    state: Array
    ep_len: NDArray[np.int64]


class Shard(NamedTuple):
    """The content of a shard's file, and how many rows it holds."""

    content: bytes
    rows: int


def join_rollouts(rollouts: Sequence[RollOut]) -> Columns:
    """The rows of several episodes one after the other."""
    no_action = np.full((1, rollouts[0].actions.shape[1]), np.nan, np.float32)
    return Columns(
        action=np.concatenate([part for r in rollouts for part in (r.actions, no_action)]),
        state=np.concatenate([r.states for r in rollouts]),
        ep_len=np.array([len(r.states) for r in rollouts], np.int64),
    )


def encode_shard(pixels: Image, columns: Columns) -> bytes:
    """The shard as the content of a file; ``pixels`` (N, h, w, 3)."""
    offset = np.cumsum(columns.ep_len) - columns.ep_len
    # "core" keeps the file in memory; with backing_store off the name never reaches the disk.
    with _h5py.File("shard", "w", driver="core", backing_store=False, libver=_FORMAT) as file:
        _add(file, "pixels", pixels, chunk_rows=1)  # one frame can be read without its neighbours
        _add(file, "action", columns.action, chunk_rows=len(pixels))
        if columns.state.shape[1]:
            _add(file, "state", columns.state, chunk_rows=len(pixels))
        _add(file, "ep_len", columns.ep_len, chunk_rows=len(offset))
        _add(file, "ep_offset", offset, chunk_rows=len(offset))
        file.flush()
        return bytes(file.id.get_file_image())


def _add(file: Any, name: str, values: NDArray[Any], chunk_rows: int) -> None:
    file.create_dataset(
        name,
        data=values,
        chunks=(chunk_rows, *values.shape[1:]),
        compression="gzip",
        compression_opts=1,
        fletcher32=True,
        track_times=False,
    )
