"""One shard: the rows of some whole episodes as an HDF5 file.

An episode of S env steps has S+1 rows; row t holds the frame and the state at time t and the
torque that acts from t to t+1, so the last row's torque is NaN. Column names follow
stable-worldmodel. The same rows always give the same bytes: no time stamp, a pinned file format.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from agent.data.behaviours import RollOut
from agent.interfaces import Array, FloatArray, Image

# What h5py, the HDF5 library and zlib raise on a file that is not what it should be.
UNREADABLE = (OSError, KeyError, RuntimeError, ValueError, TypeError, zlib.error)
_h5py: Any = h5py  # it has no types
_FORMAT = ("v110", "v110")  # HDF5 1.10 and later can read it


@dataclass(frozen=True)
class ShardStates:
    """All of a shard but its pictures.

    ``action`` float32 (N, 2), NaN in the last row of an episode; ``qpos`` [rad] and ``qvel``
    [rad/s] float64 (N, 2); ``ep_len`` int64 (E,) rows of each episode.
    """

    action: FloatArray
    qpos: Array
    qvel: Array
    ep_len: NDArray[np.int64]


def join_rollouts(rollouts: Sequence[RollOut]) -> ShardStates:
    """The rows of several episodes one after the other."""
    no_action = np.full((1, 2), np.nan, np.float32)
    return ShardStates(
        action=np.concatenate([part for r in rollouts for part in (r.actions, no_action)]),
        qpos=np.concatenate([r.qpos for r in rollouts]),
        qvel=np.concatenate([r.qvel for r in rollouts]),
        ep_len=np.array([len(r.qpos) for r in rollouts], np.int64),
    )


def encode_shard(pixels: Image, states: ShardStates) -> bytes:
    """The shard as the content of a file; ``pixels`` (N, h, w, 3)."""
    offset = np.cumsum(states.ep_len) - states.ep_len
    # "core" keeps the file in memory; with backing_store off the name never reaches the disk.
    with _h5py.File("shard", "w", driver="core", backing_store=False, libver=_FORMAT) as file:
        _add(file, "pixels", pixels, chunk_rows=1)  # one frame can be read without its neighbours
        _add(file, "action", states.action, chunk_rows=len(pixels))
        _add(file, "qpos", states.qpos, chunk_rows=len(pixels))
        _add(file, "qvel", states.qvel, chunk_rows=len(pixels))
        _add(file, "ep_len", states.ep_len, chunk_rows=len(offset))
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


def open_shard(source: Path | bytes) -> AbstractContextManager[Any]:
    """An open shard to read from; raises one of UNREADABLE if it cannot be."""
    file = io.BytesIO(source) if isinstance(source, bytes) else source
    opened: AbstractContextManager[Any] = _h5py.File(file, "r")
    return opened


def read_states(file: Any) -> ShardStates:
    """The small columns of an open shard; ValueError if they do not fit together."""
    names = ("action", "qpos", "qvel", "ep_len")
    states = ShardStates(*(np.asarray(file[name][()]) for name in names))
    rows = int(states.ep_len.sum())
    lengths = {len(states.action), len(states.qpos), len(states.qvel), len(file["pixels"])}
    if lengths != {rows}:
        raise ValueError(f"columns of {sorted(lengths)} rows, expected {rows} in each")
    return states


def read_frame(pixels: Any, row: int, out: Image) -> None:
    """Decode one frame of the column ``pixels`` of an open shard into ``out`` (h, w, 3).

    The stored chunk is inflated here: HDF5's own way to one small chunk costs five times as much.
    Its checksum is passed over, zlib's own over the inflated bytes is checked.
    """
    skipped_filters, chunk = pixels.id.read_direct_chunk((row, 0, 0, 0))
    if skipped_filters:  # HDF5 stores what does not shrink as it is
        pixels.read_direct(out, np.s_[row])
        return
    stream = zlib.decompressobj()
    content = stream.decompress(chunk)
    if not stream.eof:
        raise ValueError(f"the compressed frame {row} ends too early")
    out[...] = np.frombuffer(content, np.uint8).reshape(out.shape)


def read_all_frames(file: Any, out: Image) -> None:
    """Decode every frame of an open shard into ``out`` (N, h, w, 3)."""
    pixels = file["pixels"]
    if pixels.shape != out.shape:
        raise ValueError(f"frames of shape {pixels.shape}, expected {out.shape}")
    for row, frame in enumerate(out):
        read_frame(pixels, row, frame)
