"""Recorded episodes laid end to end, ready to be indexed by row.

The pictures are one uint8 array in memory when they fit, otherwise ``ShardPixels``, which looks
up the same rows on disk, frame by frame. Everything else is small and always in memory.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.data.manifest import ShardRecord
from agent.data.reading import OpenShard
from agent.data.shards import UNREADABLE
from agent.files.remote import Place
from agent.interfaces import Array, FloatArray, Image
from envs import WorldSpec

Rows = NDArray[np.int64]


class ShardPixels:
    """The frames of all shards as if they were one array (N, h, w, 3), read when asked for.

    ``pixels[rows]`` with whole numbers of any shape gives uint8 (*rows.shape, h, w, 3). Every
    frame's checksum is checked; a bad one is a DamagedDataError. Safe on many threads.
    """

    OPEN_FILES = 64  # well below the usual limit of 1024 open files

    def __init__(self, directory: Place, records: Sequence[ShardRecord], spec: WorldSpec) -> None:
        self._directory, self._records, self._spec = directory, records, spec
        self._first_row = np.cumsum([0, *(record.rows for record in records)])
        self.shape = (int(self._first_row[-1]), *spec.frame_shape)
        self._open: OrderedDict[int, OpenShard] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Rows) -> Image:
        wanted, where = np.unique(np.asarray(rows), return_inverse=True)
        if len(wanted) and not 0 <= wanted[0] <= wanted[-1] < len(self):
            raise IndexError(f"expected rows from 0 to {len(self) - 1}, got {wanted[[0, -1]]}")
        frames = np.empty((len(wanted), *self.shape[1:]), np.uint8)
        shards = np.searchsorted(self._first_row, wanted, side="right") - 1
        with self._lock:
            for position, (shard, row) in enumerate(zip(shards, wanted, strict=True)):
                self._read(int(shard), int(row - self._first_row[shard]), frames[position])
        return frames[where.reshape(np.shape(rows))]

    def _read(self, shard: int, row: int, out: Image) -> None:
        try:
            self._shard(shard).frame(row, out)
        except UNREADABLE as error:
            record = self._records[shard]
            raise record.unreadable(self._directory, error, f"frame {row}: ") from error

    def _shard(self, shard: int) -> OpenShard:
        if shard not in self._open:
            if len(self._open) >= self.OPEN_FILES:
                self._open.popitem(last=False)[1].close()  # the one asked for longest ago
            self._open[shard] = self._records[shard].open(self._directory, self._spec)
        self._open.move_to_end(shard)
        return self._open[shard]


@dataclass(frozen=True)
class Episodes:
    """E episodes of N rows in all; one of T env steps has T+1 rows, T may differ.

    ``pixels`` uint8 (N, h, w, 3), indexable by arrays of rows; ``action`` float32 (N, A), NaN in
    an episode's last row: ``action[t]`` acts between row t and row t+1; ``state`` float64 (N, S);
    ``ep_offset``, ``ep_len`` int64 (E,): where each episode starts and how many rows it has.
    """

    pixels: Image | ShardPixels
    action: FloatArray
    state: Array
    ep_offset: Rows
    ep_len: Rows

    @property
    def count(self) -> int:
        """How many episodes there are."""
        return len(self.ep_len)

    def rows(self, episode: int) -> slice:
        """The rows of one episode, first and last frame included."""
        start = int(self.ep_offset[episode])
        return slice(start, start + int(self.ep_len[episode]))

    def some(self, ids: Rows, count: int, least_frames: int) -> Rows:
        """The first ``count`` of ``ids``; of those long enough, where none of the first is."""
        first, long = ids[:count], ids[self.ep_len[ids] >= least_frames]
        return long[:count] if len(long) and not np.isin(first, long).any() else first

    def row_numbers(self, ids: Iterable[int]) -> Rows:
        """The rows of several episodes one after the other, as numbers: pixels take no slice."""
        spans = [self.rows(int(episode)) for episode in ids]
        return np.concatenate([np.arange(span.start, span.stop) for span in spans])
