"""Collecting rollouts: many processes make shards, this one commits them in order.

A shard is committed by its manifest line, written after the file lies safely under its name. Only
the collecting process writes, so a ``kill -9`` loses what was being made and nothing else, and
running the same command again makes exactly what is missing. Each episode has its own random
stream, so files are the same bytes whatever the number of workers.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from agent.data.behaviours import behaviour_named
from agent.data.crew import Crew
from agent.data.durable import (
    TEMPORARY_SUFFIX,
    append_line_durably,
    drop_torn_line,
    explained_disk_errors,
    write_durably,
    writing_lock,
)
from agent.data.header import HEADER_NAME, DatasetHeader
from agent.data.manifest import MANIFEST_NAME, SHARD_FOLDER, ShardRecord, read_manifest
from agent.data.store import RolloutStore
from agent.data.worker import ShardTask, WorkerSettings
from agent.errors import MachineError, UserError
from envs import ACTION_REPEAT, PHYSICS_DT_S, PROFILES, configure_gl

Progress = Callable[[int, int], None]
COMPRESSED_SHARE = {  # of the raw frames
    "fast": 0.1,
    "dmc": 0.35,  # measured .062 and .265 at 64²
}
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CollectConfig:
    """What to collect, and where to."""

    out: Path
    """Directory of the data set; made if missing, continued if interrupted before."""
    episodes: int = 400
    """How many episodes in all; more than are there already extends the data set."""
    episode_steps: int = 200
    """Env steps of 0.04 s per episode; one frame more is recorded."""
    behaviour: str = "ou"
    """How the arm is moved, by the name of a behaviour."""
    workers: int = 2
    """Processes; changes the time it takes, never the data."""
    seed: int = 0
    """Everything random follows from it."""
    render_profile: str = "fast"
    """How frames are drawn: fast or dmc."""
    image_size: int = 64
    """Side of a frame in pixels."""
    episodes_per_shard: int = 10
    """Episodes per file: what an interruption can cost."""

    def __post_init__(self) -> None:
        behaviour_named(self.behaviour)
        if self.render_profile not in PROFILES:
            raise UserError(
                f"expected a render_profile of {sorted(PROFILES)}, got {self.render_profile!r}"
            )
        for name in ("episodes", "episode_steps", "workers", "image_size", "episodes_per_shard"):
            if getattr(self, name) < 1:
                raise UserError(f"expected {name} of at least 1, got {getattr(self, name)}")
        if self.seed < 0:
            raise UserError(f"expected a seed of at least 0, got {self.seed}")

    def header(self) -> DatasetHeader:
        """The header of the data set this asks for."""
        return DatasetHeader(
            render_profile=self.render_profile,
            image_size=self.image_size,
            physics_dt_s=PHYSICS_DT_S,
            action_repeat=ACTION_REPEAT,
            behaviour=self.behaviour,
            seed=self.seed,
            episodes=self.episodes,
            episode_steps=self.episode_steps,
            episodes_per_shard=self.episodes_per_shard,
        )


def collect(config: CollectConfig, progress: Progress | None = None) -> RolloutStore:
    """Collect what is still missing and open the result.

    ``progress(done, total)`` counts committed episodes. Raises UserError if the directory holds
    something else, DamagedDataError if what it holds is damaged, MachineError if the disk is full
    or a worker dies, and what ``envs`` raises if nothing can be rendered. After any of these, and
    after Ctrl-C, everything committed is kept.
    """
    with explained_disk_errors(config.out):
        _require_ours(config.out)
        (config.out / SHARD_FOLDER).mkdir(parents=True, exist_ok=True)
        with writing_lock(config.out):
            tasks = _prepare(config)
            if tasks:
                _make(config, tasks, progress or (lambda done, total: None))
    return RolloutStore.open(config.out)


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


def _require_ours(directory: Path) -> None:
    if not directory.exists() or (directory / HEADER_NAME).exists():
        return
    ours = {".lock", SHARD_FOLDER, f"{HEADER_NAME}{TEMPORARY_SUFFIX}"}
    if not directory.is_dir() or any(entry.name not in ours for entry in directory.iterdir()):
        raise UserError(
            f"{directory} holds something that is not a data set: choose a new or empty directory"
        )


def _prepare(config: CollectConfig) -> list[ShardTask]:
    """Clean up after an interruption, settle the header, and say what is missing."""
    directory = config.out
    for folder in (directory, directory / SHARD_FOLDER):
        for stale in folder.glob(f"*{TEMPORARY_SUFFIX}"):
            stale.unlink()
    if drop_torn_line(directory / MANIFEST_NAME):
        _log.warning("%s: dropped a line whose writing was interrupted", MANIFEST_NAME)
    records = read_manifest(directory)
    for record in records:
        record.check_size(directory)
    if records:  # else the header binds nobody: a first try may have failed on a wrong setting
        _require_same(directory, DatasetHeader.read(directory), config.header())
    tasks = missing_shards(records, config.episodes, config.episodes_per_shard)
    _require_space(config, sum(task.end - task.first for task in tasks))
    config.header().write(directory)
    return tasks


def _require_same(directory: Path, present: DatasetHeader, wanted: DatasetHeader) -> None:
    name = present.first_difference(wanted)
    if name is not None:
        raise UserError(
            f"{directory} was collected with {name} = {getattr(present, name)}, got "
            f"{getattr(wanted, name)}: use the same value or another directory"
        )
    if present.episodes > wanted.episodes:
        raise UserError(
            f"{directory} is a data set of {present.episodes} episodes, got episodes = "
            f"{wanted.episodes}: ask for at least as many, or use another directory"
        )


def _require_space(config: CollectConfig, episodes: int) -> None:
    raw_bytes = episodes * (config.episode_steps + 1) * config.image_size**2 * 3
    needed_mb = int(raw_bytes * COMPRESSED_SHARE.get(config.render_profile, 1.0)) // 10**6
    free_mb = shutil.disk_usage(config.out).free // 10**6
    if needed_mb > free_mb:
        raise MachineError(
            f"not enough space for {config.out}: {episodes} more episodes need about {needed_mb} "
            f"MB, {free_mb} MB are free. Free some space, or collect fewer or elsewhere"
        )


def _make(config: CollectConfig, tasks: list[ShardTask], progress: Progress) -> None:
    configure_gl()  # here first: one clear error instead of one per worker
    settings = WorkerSettings(
        behaviour=config.behaviour,
        seed=config.seed,
        episode_steps=config.episode_steps,
        render_profile=config.render_profile,
        image_size=config.image_size,
    )
    done = config.episodes - sum(task.end - task.first for task in tasks)
    progress(done, config.episodes)
    with Crew(settings, min(config.workers, len(tasks))) as crew:
        for task, content in crew.make(tasks):
            _commit(config, task, content)
            done += task.end - task.first
            progress(done, config.episodes)


def _commit(config: CollectConfig, task: ShardTask, content: bytes) -> None:
    rows = (task.end - task.first) * (config.episode_steps + 1)
    record = ShardRecord.of(task.index, (task.first, task.end), rows, content)
    write_durably(record.path(config.out), content)
    append_line_durably(config.out / MANIFEST_NAME, record.to_line())
