"""Reading a shard that may be a stranger's: what it says it holds is checked before it is read.

A column must lie in the file itself, whole, in the shape that manifest and header say, and inflate
to no more than that: nothing outside is opened and no memory is taken on a file's word alone.
"""

from __future__ import annotations

import io
import zlib
from math import prod
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from agent.data.shards import Columns
from agent.interfaces import Array, Image
from envs import FIRST_SCHEMA_STATE, WorldSpec

_h5py: Any = h5py  # it has no types
_DEFLATE, _SHUFFLE, _FLETCHER = 1, 2, 3  # HDF5's numbers of filters that come with it
_CHECKSUM_BYTES = 4
_MAX_CHUNK_BYTES = 2**26  # of a chunk that is larger than its column


class OpenShard:
    """A shard of ``rows`` rows in ``episodes`` episodes of a world of ``spec``.

    Opening and reading raise one of ``shards.UNREADABLE`` if it is not that.
    """

    def __init__(self, source: Path | bytes, spec: WorldSpec, rows: int, episodes: int) -> None:
        self._spec, self._rows, self._episodes = spec, rows, episodes
        if isinstance(source, bytes):
            self._file = _h5py.File(io.BytesIO(source), "r")
        else:  # shards never change: whoever else has them open does not matter
            self._file = _h5py.File(source, "r", locking=False)
        try:
            self._pixels = _column(self._file, "pixels", (rows, *spec.frame_shape), "u")
            packed = _filters(self._pixels) in ([_DEFLATE, _FLETCHER], [_DEFLATE])
            self._is_ours = packed and self._pixels.chunks == (1, *spec.frame_shape)
            if not self._is_ours:
                _require_bounded(self._pixels)
        except BaseException:
            self.close()
            raise

    def columns(self) -> Columns:
        """All but the pictures."""
        ep_len = _read(_column(self._file, "ep_len", (self._episodes,), "iu"))
        action = _read(_column(self._file, "action", (self._rows, self._spec.action_dim), "f"))
        if not (ep_len.min() >= 1 and ep_len.max() <= self._rows and ep_len.sum() == self._rows):
            raise ValueError(f"episodes of {ep_len} rows, expected {self._rows} in all")
        return Columns(action, self._states(), ep_len)

    def frame(self, row: int, out: Image) -> None:
        """Decode one frame into ``out`` (h, w, 3).

        The stored chunk is inflated here: HDF5's own way to one small chunk costs five times as
        much. Its checksum is passed over, zlib's own over the inflated bytes is checked.
        """
        if self._is_ours:
            skipped, chunk = self._pixels.id.read_direct_chunk((row, 0, 0, 0))
            if not skipped & 1:  # HDF5 stores what does not shrink as it is
                out[...] = np.frombuffer(_inflated(chunk, out.nbytes), np.uint8).reshape(out.shape)
                return
        self._pixels.read_direct(out, np.s_[row])

    def frames(self, out: Image) -> None:
        """Decode every frame into ``out`` (N, h, w, 3)."""
        for row, frame in enumerate(out):
            self.frame(row, frame)

    def close(self) -> None:
        """Close the file; may be repeated."""
        self._file.close()

    def _states(self) -> Array:
        """The column of states; older files have it in two parts, angles and speeds."""
        names = [name for name in ("state", *FIRST_SCHEMA_STATE) if name in self._file]
        parts = [_column(self._file, name, (self._rows, None), "f") for name in names]
        width = sum(part.shape[1] for part in parts)
        if width != len(self._spec.state):
            raise ValueError(f"{width} numbers in a state, expected {len(self._spec.state)}")
        return np.hstack([np.empty((self._rows, 0)), *(_read(part) for part in parts)])


def _column(file: Any, name: str, shape: tuple[int | None, ...], kinds: str) -> Any:
    """The numbers ``name`` of an open file, of numpy's ``kinds``, not read yet; None in ``shape``
    fits any size."""
    if not isinstance(file.get(name, getlink=True), _h5py.HardLink):
        raise ValueError(f"expected '{name}' in the file itself, got a link or nothing")
    found = file[name]
    if not isinstance(found, _h5py.Dataset) or found.external or found.is_virtual:
        raise ValueError(f"expected '{name}' to be stored in the file itself, got it elsewhere")
    fits = len(found.shape or ()) == len(shape) and all(
        wanted in (None, side) for wanted, side in zip(shape, found.shape, strict=True)
    )
    if not fits or found.dtype.kind not in kinds:
        raise ValueError(f"'{name}' is {found.dtype} {found.shape}, expected numbers {shape}")
    if not set(_filters(found)) <= {_DEFLATE, _SHUFFLE, _FLETCHER}:
        raise ValueError(f"'{name}' is packed by filters {_filters(found)}, expected gzip or none")
    if _stored_share(found) != 1:
        raise ValueError(f"'{name}' says {found.shape}, which is more than the file holds")
    return found


def _filters(column: Any) -> list[int]:
    plan = column.id.get_create_plist()
    return [plan.get_filter(number)[0] for number in range(plan.get_nfilters())]


def _stored_share(column: Any) -> float:
    """The share of chunks, or bytes, that are really there: HDF5 makes up the rest."""
    if column.chunks is None:
        return float(column.id.get_storage_size() / max(1, column.nbytes))
    sides = zip(column.shape, column.chunks, strict=True)
    return float(column.id.get_num_chunks() / prod(-(-side // chunk) for side, chunk in sides))


def _read(column: Any) -> Any:
    _require_bounded(column)
    return np.asarray(column[()])


def _require_bounded(column: Any) -> None:
    """ValueError if a chunk would inflate to more than its size."""
    filters = _filters(column)
    if column.chunks is None or _DEFLATE not in filters:
        return
    size_bytes = prod(column.chunks) * column.dtype.itemsize
    if size_bytes > max(column.nbytes, _MAX_CHUNK_BYTES):
        raise ValueError(f"chunks of {size_bytes} bytes for a column of {column.nbytes}")
    for number in range(column.id.get_num_chunks()):
        where = column.id.get_chunk_info(number).chunk_offset
        skipped, chunk = column.id.read_direct_chunk(where)
        if not skipped >> filters.index(_DEFLATE) & 1:
            _inflated(chunk, size_bytes, _CHECKSUM_BYTES)


def _inflated(chunk: bytes, size_bytes: int, spare_bytes: int = 0) -> bytes:
    """The content of a chunk; ValueError unless it ends within so many bytes."""
    stream = zlib.decompressobj()
    content = stream.decompress(chunk, size_bytes + spare_bytes + 1)
    if not stream.eof or not size_bytes <= len(content) <= size_bytes + spare_bytes:
        raise ValueError(f"a compressed chunk is not of {size_bytes} bytes")
    return content
