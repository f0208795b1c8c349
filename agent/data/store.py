"""Rollouts on disk, opened for reading.

``dataset.json`` (see ``header``) says how they were made, ``manifest.jsonl`` (see ``manifest``)
which shards count, ``shards/`` holds them. Episodes are numbered 0 … E−1 in order of collection.
"""

from __future__ import annotations

import hashlib
import logging
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from agent.data.episodes import Episodes, Rows, ShardPixels
from agent.data.header import HEADER_NAME, DatasetHeader
from agent.data.manifest import ShardRecord, read_manifest
from agent.data.shards import UNREADABLE, Columns
from agent.errors import DamagedDataError, UserError
from agent.files.lock import is_being_written
from agent.files.remote import Place, place
from agent.interfaces import Image
from agent.machine.cores import usable_cores
from agent.machine.memory import available_memory_bytes

HOLDOUT_FRACTION = 0.05  # unless a training says otherwise
MEMORY_SHARE = 0.6  # of what is available, for pictures; the rest is for training
_log = logging.getLogger(__name__)

Look = Callable[[Image, Columns], object]


@dataclass(frozen=True)
class RolloutStore:
    """A data set directory whose header and manifest have been read; shards are read on demand."""

    directory: Place
    header: DatasetHeader
    records: tuple[ShardRecord, ...]

    @classmethod
    def open(cls, directory: Place | str) -> RolloutStore:
        """Open a data set in a folder, or under a URL that fsspec knows.

        UserError if there is none or it follows another schema; DamagedDataError if header or
        manifest are not readable. Shards themselves are checked when read.
        """
        directory = place(directory)
        header, records = DatasetHeader.read(directory), read_manifest(directory)
        strangers = [r.shard for r in records if r.settings not in ("", header.sum)]
        if strangers:
            raise DamagedDataError(
                f"{directory / HEADER_NAME} is not the header that {', '.join(strangers)} were "
                "recorded under: restore it, or collect into a new directory"
            )
        return cls(directory, header, tuple(records))

    @property
    def episode_count(self) -> int:
        """How many episodes are committed (fewer than the header asks for while collecting)."""
        return sum(last - first for first, last in (record.episodes for record in self.records))

    @property
    def row_count(self) -> int:
        """How many frames are committed."""
        return sum(record.rows for record in self.records)

    @property
    def pixel_bytes(self) -> int:
        """What all frames take in memory."""
        return self.row_count * math.prod(self.header.spec.frame_shape)

    def first(self, episodes: int) -> RolloutStore:
        """The data set as it was when it held that many episodes.

        Raises:
            UserError: if it holds fewer now, or others between.
        """
        counts = np.cumsum([last - first for first, last in (r.episodes for r in self.records)])
        kept = replace(self, records=self.records[: int(np.sum(counts <= episodes))])
        if kept.episode_count != episodes:
            raise UserError(
                f"expected {self.directory} to hold the first {episodes} episodes, as when it was "
                f"first learned from, got {kept.episode_count} of them: bring the others back with "
                "collect, or train into a new directory"
            )
        return kept

    def facts(self) -> dict[str, Any]:
        """What a model that learns from it tells of it, as JSON values."""
        counts = {"episodes": self.episode_count, "env_steps": self.row_count - self.episode_count}
        return {**self.header.to_json(), **counts}

    def content_sha256(self) -> str:
        """One hash for all committed episodes."""
        return hashlib.sha256("".join(r.sha256 for r in self.records).encode()).hexdigest()

    def say_if_unfinished(self) -> None:
        """A warning where more episodes are still to come."""
        asked = self.header.episodes
        are_coming = isinstance(self.directory, Path) and is_being_written(self.directory)
        if self.episode_count >= asked and not are_coming:
            return
        _log.warning(
            "%s holds %d%s episodes so far%s: only these are learned from",
            self.directory, self.episode_count, f" of {asked}" if asked else "",
            ", another process is recording more" if are_coming else "",
        )  # fmt: skip

    def load(self, memory_limit_bytes: int | None = None) -> Episodes:
        """All episodes, pictures in memory if they fit in ``memory_limit_bytes``.

        By default the limit is 60 % of the memory available; above it pictures stay on disk. Read
        into memory, every shard is checked against its SHA-256. DamagedDataError names a bad one.
        """
        self._require_episodes(1)
        if memory_limit_bytes is None:
            memory_limit_bytes = int(MEMORY_SHARE * available_memory_bytes())
        if self.pixel_bytes <= memory_limit_bytes:
            return self._load_all()
        _log.info("%d MB of frames stay on disk, too many to keep", self.pixel_bytes // 10**6)
        columns = self.load_columns()
        return _assemble(ShardPixels(self.directory, self.records, self.header.spec), columns)

    def load_columns(self) -> list[Columns]:
        """Actions and states of each shard, without pictures."""
        return [self.read_columns(record) for record in self.records]

    def lengths(self, first: int = 0) -> Rows:
        """How many frames the episodes from number ``first`` on have."""
        tail = tuple(record for record in self.records if record.episodes[1] > first)
        found = np.concatenate([self.read_columns(record).ep_len for record in tail])
        return found[len(found) - (self.episode_count - first) :]

    def split(
        self, holdout_fraction: float = HOLDOUT_FRACTION, least_frames: int = 1
    ) -> tuple[Rows, Rows]:
        """Episode numbers to train on and to hold out: of the latter one at least, and never all.

        The last ones are held out. Where each of those is shorter than ``least_frames`` frames, as
        in a world that ends its episodes, the last that are not are held out instead, if there are
        any. UserError for a fraction that is none.

        Collecting more episodes moves the border, so train and evaluate on the same data set.
        """
        self._require_episodes(2)
        if not 0.0 < holdout_fraction < 1.0:
            raise UserError(
                f"expected --training.holdout-fraction between 0 and 1, got {holdout_fraction}"
            )
        count = self.episode_count
        few = min(max(1, round(count * holdout_fraction)), count - 1)
        held_out = np.arange(count - few, count)
        if least_frames > 1 and not (self.lengths(count - few) >= least_frames).any():
            long = np.flatnonzero(self.lengths() >= least_frames)
            held_out = long[-min(few, max(1, len(long) // 2)) :] if len(long) else held_out
        return np.setdiff1d(np.arange(count), held_out), held_out

    def verify(self, look: Look | None = None) -> None:
        """Check every shard: size, SHA-256, contents. DamagedDataError names all that are bad.

        ``look`` is shown the frames (N, h, w, 3) of each that is whole, and the rest of it.
        """
        problems = []
        for record in self.records:
            try:
                self.read_shard(record, look=look)
            except DamagedDataError as error:
                problems.append(str(error))
        if problems:
            raise DamagedDataError("\n".join(problems))

    def _load_all(self) -> Episodes:
        pixels = self._new_pixels(self.row_count)
        ends = np.cumsum([record.rows for record in self.records])
        parts = [pixels[end - r.rows : end] for r, end in zip(self.records, ends, strict=True)]
        with ThreadPoolExecutor(usable_cores()) as threads:
            columns = list(threads.map(self.read_shard, self.records, parts))
        return _assemble(pixels, columns)

    def _new_pixels(self, rows: int) -> Image:
        return np.empty((rows, *self.header.spec.frame_shape), np.uint8)

    def read_shard(
        self, record: ShardRecord, pixels: Image | None = None, look: Look | None = None
    ) -> Columns:
        """One shard, its SHA-256 checked; its frames go into ``pixels`` (N, h, w, 3), if given.

        ``look`` is shown both.

        Safe on many threads. DamagedDataError names a bad one.
        """
        content = record.read(self.directory)
        try:
            with closing(record.open(self.directory, self.header.spec, content)) as shard:
                frames = self._new_pixels(record.rows) if pixels is None else pixels
                shard.frames(frames)
                columns = shard.columns()
        except UNREADABLE as error:
            raise record.unreadable(self.directory, error) from error
        if look is not None:
            look(frames, columns)
        return columns

    def read_columns(self, record: ShardRecord) -> Columns:
        """Actions, states and lengths of one shard, without its frames."""
        try:
            with closing(record.open(self.directory, self.header.spec)) as shard:
                return shard.columns()
        except UNREADABLE as error:
            raise record.unreadable(self.directory, error) from error

    def _require_episodes(self, least: int) -> None:
        if self.episode_count < least:
            raise UserError(
                f"{self.directory} holds {self.episode_count} episodes, expected at least "
                f"{least}: record more into it"
            )


def _assemble(pixels: Image | ShardPixels, columns: list[Columns]) -> Episodes:
    ep_len = np.concatenate([part.ep_len for part in columns])
    return Episodes(
        pixels=pixels,
        action=np.concatenate([part.action for part in columns]),
        state=np.concatenate([part.state for part in columns]),
        ep_offset=np.cumsum(ep_len) - ep_len,
        ep_len=ep_len,
    )
