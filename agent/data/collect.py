"""Collecting rollouts: many processes make shards, this one commits them in order.

A shard is committed by its manifest line, written after the file lies safely under its name. Only
the collecting process writes, so a ``kill -9`` loses what was being made and nothing else, and
running the same command again makes exactly what is missing. Each episode has its own random
stream, so files are the same bytes whatever the number of workers.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
import zlib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

import numpy as np

from agent.cluster import crew_for
from agent.data.header import HEADER_NAME, DatasetHeader, drawn_with, require_learnable
from agent.data.manifest import MANIFEST_NAME, SHARD_FOLDER, ShardRecord, read_manifest
from agent.data.shards import Shard
from agent.data.store import RolloutStore
from agent.data.worker import CollectConfig, ShardTask
from agent.errors import MachineError, UserError
from agent.files.durable import (
    append_line_durably,
    drop_torn_line,
    entries,
    explained_disk_errors,
    is_leftover,
    write_durably,
)
from agent.files.lock import LOCK_NAME, writing_lock
from envs import Drawn, WorldSpec, does_otherwise, make_world

Progress = Callable[[int, int], None]
_LARGER = 1.5  # than the first frame a compressed frame may be, on average
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _First:
    """What was learned from opening the world once, before any worker does."""

    spec: WorldSpec
    frame_bytes: int  # of one frame, compressed
    drawn_with: Mapping[str, str]
    binding: Collection[str]  # those of them that the world itself names


def collect(config: CollectConfig, progress: Progress | None = None) -> RolloutStore:
    """Collect what is still missing and open the result.

    ``progress(done, total)`` counts committed episodes. Raises UserError if the directory holds
    something else, DamagedDataError if what it holds is damaged, MachineError if the disk is full
    or a worker dies, and what ``envs`` raises if the world cannot be made or drawn. After any of
    these, and after Ctrl-C, everything committed is kept.
    """
    with explained_disk_errors(config.out):
        require_ours(config.out)
        first = _look_once(config)
        (config.out / SHARD_FOLDER).mkdir(parents=True, exist_ok=True)
        with writing_lock(config.out):
            tasks = _prepare(config, first)
            if tasks:
                _make(config, tasks, progress or (lambda done, total: None))
    return RolloutStore.open(config.out)


def _look_once(config: CollectConfig) -> _First:
    """Open the world and draw a frame: one clear error here instead of one per worker."""
    world = make_world(config.world, config.look, config.image_size)
    try:
        require_learnable(world.spec)
        config.find_behaviour(config.behaviour, world)
        world.reset(np.random.default_rng(config.seed))
        frame_bytes = len(zlib.compress(world.frame().tobytes(), 1))
        if not (config.out / HEADER_NAME).exists() and does_otherwise(world):
            _log.warning(
                "%s does something else after the same seed and actions: train takes that, control "
                "and evaluate ask for goals that come again. Draw what is random from the "
                "generator of its reset alone (in gymnasium: self.np_random)", world.spec.world,
            )  # fmt: skip
        named = world.drawn_with() if isinstance(world, Drawn) else {}
        files = _files_of(config)
        binding = frozenset({*named, *files})
        return _First(world.spec, frame_bytes, drawn_with(world) | files, binding)
    finally:
        world.close()


def _files_of(config: CollectConfig) -> dict[str, str]:
    """The files that world and behaviour are in, if they are a user's own, as they are now."""
    places = [Path(name.rpartition(":")[0]) for name in (config.world, config.behaviour)]
    mine = [place for place in places if place.suffix == ".py" and place.is_file()]
    return {place.name: hashlib.sha256(place.read_bytes()).hexdigest()[:12] for place in mine}


def missing_shards(
    records: Iterable[ShardRecord], episodes: int, episodes_per_shard: int
) -> list[ShardTask]:
    """The shards still to make for ``episodes`` episodes, in order.

    Ranges are cut at multiples of ``episodes_per_shard`` and fill the gaps between committed ones;
    numbers fill the gaps too, so a lost shard comes back under its own name.
    """
    committed = list(records)
    taken = {record.index for record in committed}
    free = (index for index in count() if index not in taken)
    tasks, first = [], 0
    stops = sorted(record.episodes for record in committed)
    for start, end in [*stops, (episodes, episodes)]:
        while first < start:
            cut = min(start, (first // episodes_per_shard + 1) * episodes_per_shard)
            tasks.append(ShardTask(next(free), first, cut))
            first = cut
        first = max(first, end)
    return tasks


def require_ours(directory: Path) -> None:
    """UserError if ``directory`` is neither a data set nor free to become one."""
    if not directory.exists() or (directory / HEADER_NAME).exists():
        return
    names = {entry.name for entry in entries(directory)} - {LOCK_NAME, SHARD_FOLDER}
    if not directory.is_dir() or not all(is_leftover(name, HEADER_NAME) for name in names):
        raise UserError(
            f"{directory} holds something that is not a data set: choose a new or empty directory"
        )


def clean_up(directory: Path) -> None:
    """Remove what an interruption left in a data set; its lock must be held."""
    for folder in (directory, directory / SHARD_FOLDER):
        for stale in [path for path in folder.iterdir() if is_leftover(path.name)]:
            stale.unlink()
    if drop_torn_line(directory / MANIFEST_NAME):
        _log.warning("%s: dropped a line whose writing was interrupted", MANIFEST_NAME)


def _prepare(config: CollectConfig, first: _First) -> list[ShardTask]:
    """Clean up after an interruption, settle the header, and say what is missing."""
    directory = config.out
    clean_up(directory)
    records = read_manifest(directory)
    for record in records:
        record.check_size(directory)
    tasks = missing_shards(records, config.episodes, config.episodes_per_shard)
    header = config.header(first.spec, first.drawn_with)
    if records:  # else the header binds nobody: a first try may have failed on a wrong setting
        present = DatasetHeader.read(directory)
        if present.spec.is_of_the_world_of(header.spec):
            header = replace(header, spec=replace(header.spec, world=present.spec.world))
        _require_same(directory, present, header)
        if tasks:
            _require_same_drawing(directory, present, first)
        header = replace(header, drawn_with=present.drawn_with)
    _require_space(config, first, sum(task.end - task.first for task in tasks))
    header.write(directory)
    return tasks


def _require_same(directory: Path, present: DatasetHeader, wanted: DatasetHeader) -> None:
    present.spec.require_same(wanted.spec, f"this command ({directory} has the other)")
    if differs := present.difference(wanted):
        raise UserError(
            f"{directory} was collected with {differs}: use the same value or another directory"
        )
    if present.episodes > wanted.episodes:
        raise UserError(
            f"{directory} is a data set of {present.episodes} episodes, got episodes = "
            f"{wanted.episodes}: ask for at least as many, or use another directory"
        )


def _require_same_drawing(directory: Path, present: DatasetHeader, first: _First) -> None:
    """Refuse to mix pictures of what the world names; the rest may matter, and is only said."""
    for name in sorted(present.drawn_with.keys() & first.drawn_with.keys()):
        was, now = present.drawn_with[name], first.drawn_with[name]
        if was == now:
            continue
        told = f"{directory} was drawn with {name} {was}, this machine has {now}"
        if name in first.binding:
            raise UserError(
                f"{told}: its pictures could differ. Extend it where it was begun, or collect into "
                "a new directory"
            )
        _log.warning("%s", told)


def _require_space(config: CollectConfig, first: _First, episodes: int) -> None:
    frames = episodes * (config.episode_steps + 1)
    needed_mb = int(frames * first.frame_bytes * _LARGER) // 10**6
    free_mb = shutil.disk_usage(config.out).free // 10**6
    if needed_mb > free_mb:
        raise MachineError(
            f"not enough space for {config.out}: {episodes} more episodes need about {needed_mb} "
            f"MB, {free_mb} MB are free. Free some space, or collect fewer or elsewhere"
        )


def _make(config: CollectConfig, tasks: list[ShardTask], progress: Progress) -> None:
    done = config.episodes - sum(task.end - task.first for task in tasks)
    progress(done, config.episodes)
    with crew_for(config, config.workers, len(tasks), config.cluster) as crew:
        for task, shard in crew.make(tasks):
            commit_shard(config.out, task.index, (task.first, task.end), shard)
            done += task.end - task.first
            progress(done, config.episodes)


def commit_shard(directory: Path, index: int, episodes: tuple[int, int], shard: Shard) -> None:
    """Write the file of episodes [first, end), then the line that makes it part of the data set."""
    settings = DatasetHeader.read(directory).sum
    record = ShardRecord.of(index, episodes, shard.rows, shard.content, settings)
    write_durably(record.path(directory), shard.content)
    append_line_durably(directory / MANIFEST_NAME, record.to_line())
