"""Windows of a data set that outgrows memory: a few shards at a time, in turn.

Some shards are held, decoded, in memory. Every few steps the one that was there longest makes room
for the next of a shuffled round, which a thread has read meanwhile, so that each frame is learned
from about as often as if all were there. Which shards are held at a step, and which windows are
drawn from them, follow from seed and step alone.
"""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from agent.data.episodes import Episodes, Rows
from agent.data.manifest import ShardRecord
from agent.data.shards import Columns
from agent.data.store import RolloutStore
from agent.data.windows import Drawing, WindowSampler
from agent.interfaces import Window

REUSE = 4  # how often a frame is drawn in one stay of its shard, on average
AHEAD = 2  # shards that are read before their turn
_ORDER = (2, 0)  # of the streams of a seed: none of a step


class Rotation:
    """``held`` shards of ``store`` at a step, others at other steps; of the episodes ``ids`` alone.

    A turn is as long as ``frames_a_step`` take to draw each frame ``REUSE`` times while its shard
    is there. Shards without an episode of ``least_rows`` have no turn, as they would have nothing
    to draw. What reading a shard raises is raised by the step that needs it.
    """

    def __init__(
        self,
        store: RolloutStore,
        ids: Rows,
        held: int,
        frames_a_step: int,
        seed: int,
        least_rows: int = 1,
    ) -> None:
        self._shards = _long_enough(store, ids, least_rows)
        order = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=_ORDER))
        self._order = order.permutation(len(self._shards))
        self._held = min(held, len(self._shards))
        rows = np.mean([record.rows for record, _ in self._shards])
        self.turn_steps = max(1, round(REUSE * rows / frames_a_step))
        self._slots = _Slots(store, self._held + AHEAD)
        self._turn = -1
        self._there: tuple[Episodes, Rows] | None = None
        self.waited_s = 0.0  # for shards whose turn had come, the first apart

    def at(self, step: int) -> tuple[Episodes, Rows]:
        """The episodes that are there at a step, and their numbers; the same objects all its turn.

        They are overwritten when another turn has come.
        """
        turn = step // self.turn_steps
        if turn != self._turn or self._there is None:
            began_s = time.monotonic()
            there = self._turned(turn)
            self.waited_s += time.monotonic() - began_s if self._there else 0.0
            self._turn, self._there = turn, there
        return self._there

    def _turned(self, turn: int) -> tuple[Episodes, Rows]:
        coming = range(turn, turn + self._held + AHEAD)
        shards = {n: self._shards[self._order[n % len(self._order)]] for n in coming}
        self._slots.want({n: record for n, (record, _) in shards.items()})
        offsets, lengths = [], []
        for number in range(turn, turn + self._held):
            length, here = self._slots.wait(number).ep_len, shards[number][1]
            offset = self._slots.first_row(number) + np.cumsum(length) - length
            offsets.append(offset[here])
            lengths.append(length[here])
        episodes = self._slots.episodes(np.concatenate(offsets), np.concatenate(lengths))
        return episodes, np.arange(episodes.count)


def shares(store: RolloutStore, ids: Rows) -> list[tuple[ShardRecord, Rows]]:
    """Each shard, and which of its episodes, counted within it, are among ``ids``, in order."""
    ends = np.cumsum([record.count for record in store.records])
    parts = np.split(ids, np.searchsorted(ids, ends))[:-1]
    return [(r, p - (e - r.count)) for r, e, p in zip(store.records, ends, parts, strict=True)]


def _long_enough(store: RolloutStore, ids: Rows, least: int) -> list[tuple[ShardRecord, Rows]]:
    """Shards with an episode of ``least`` rows; all that have any, where there is none of them."""
    learned = [(record, here) for record, here in shares(store, ids) if len(here)]

    def is_fit(record: ShardRecord, here: Rows) -> bool:
        if len(here) == record.count and record.rows >= least * record.count:
            return True  # as the mean is
        return bool((store.read_columns(record).ep_len[here] >= least).any())

    return [one for one in learned if is_fit(*one)] or learned


class RotatingSampler:
    """Draws the windows of a step from what a ``rotation`` holds at it."""

    def __init__(self, rotation: Rotation, drawing: Drawing) -> None:
        self._rotation, self._drawing = rotation, drawing
        self._over: Episodes | None = None
        self._sampler: WindowSampler | None = None

    def sample(self, step: int) -> Window:
        """The B windows of training step ``step``, or our part of them, always the same."""
        episodes, ids = self._rotation.at(step)
        if self._sampler is None or episodes is not self._over:
            fitting = ids[episodes.ep_len >= self._drawing.rows]  # without a warning at each turn
            ids = fitting if len(fitting) else ids
            self._sampler = WindowSampler(episodes, ids, self._drawing)
            self._over = episodes
        return self._sampler.sample(step)


class _Slots:
    """Room for the rows of ``count`` shards, filled by threads: shard n is in slot n % count."""

    def __init__(self, store: RolloutStore, count: int) -> None:
        self._store, self._count = store, count
        self._rows = max(record.rows for record in store.records)
        spec, rows = store.header.spec, count * self._rows
        self._pixels = np.empty((rows, *spec.frame_shape), np.uint8)
        self._action = np.empty((rows, spec.action_dim), np.float32)
        self._threads = ThreadPoolExecutor(AHEAD, thread_name_prefix="shards")
        self._coming: dict[int, Future[Columns]] = {}

    def first_row(self, number: int) -> int:
        """Where the rows of shard ``number`` begin."""
        return number % self._count * self._rows

    def want(self, shards: dict[int, ShardRecord]) -> None:
        """Read those of the numbered ``shards`` that are not there; the others give their place."""
        for number in [n for n in self._coming if n not in shards]:
            gone = self._coming.pop(number)
            if not gone.cancel():
                gone.exception()  # its slot is written into until then
        for number, record in shards.items():
            if number not in self._coming:
                self._coming[number] = self._threads.submit(self._read, number, record)

    def wait(self, number: int) -> Columns:
        """Actions and lengths of the episodes of shard ``number``, once it is there."""
        try:
            return self._coming[number].result()
        except BaseException:
            del self._coming[number]  # to be tried again
            raise

    def episodes(self, offset: Rows, length: Rows) -> Episodes:
        """The rows as episodes, which begin and end there."""
        states = np.empty((len(self._action), 0))
        return Episodes(self._pixels, self._action, states, offset, length)

    def _read(self, number: int, record: ShardRecord) -> Columns:
        first = self.first_row(number)
        rows = slice(first, first + record.rows)
        columns = self._store.read_shard(record, self._pixels[rows])
        self._action[rows] = columns.action
        return columns
