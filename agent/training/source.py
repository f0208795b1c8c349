"""What a training learns from: all frames in memory, or a few shards of them at a time.

Where frames outgrow memory the gradient steps draw from shards in turn (``data.rotation``), and
whatever looks at the data besides (scales, diagnostics, metric, sight, head) sees some shards,
evenly spaced, that stay in memory.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from agent.data.episodes import Episodes, Rows
from agent.data.header import RECORDED, DatasetHeader
from agent.data.rotation import AHEAD, RotatingSampler, Rotation, shares
from agent.data.store import MEMORY_SHARE, RolloutStore
from agent.data.windows import Drawing, WindowSampler
from agent.errors import UnfitError, UserError
from agent.files.bundle import has_bundle
from agent.machine.memory import available_memory_bytes, used_memory_bytes
from agent.model.checkpoint import checkpoint_facts
from agent.training import ranks
from agent.training.settings import TrainingConfig
from agent.training.state import begun_with

_WORK_BYTES = 4 * 10**8  # of gradient steps and diagnostics, beside libraries and frames
_HELD_TO_LOOKED_AT, _LEAST_LOOKED_AT = 3, 2  # shards that take turns for one that stays
_LEAST_HELD = 2
_SAME = ("spec", "behaviour", "seed")  # of two headers of one data set, which may have grown
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Source:
    """``episodes`` in memory to look at, of which ``train_ids`` and ``held_out_ids``; what steps
    learn from are the former, or what the ``rotation`` holds, ``held`` shards at a time.
    """

    episodes: Episodes
    train_ids: Rows
    held_out_ids: Rows
    rotation: Rotation | None = None
    held: int | None = None

    def sampler(self, drawing: Drawing) -> WindowSampler | RotatingSampler:
        """Draws the windows of a step."""
        if self.rotation is not None:
            return RotatingSampler(self.rotation, drawing)
        return WindowSampler(self.episodes, self.train_ids, drawing)

    def at(self, step: int) -> tuple[Episodes, Rows]:
        """The episodes that a step learns from, and their numbers."""
        return (self.episodes, self.train_ids) if self.rotation is None else self.rotation.at(step)


def data_for(store: RolloutStore, state: Path, resume: bool) -> tuple[RolloutStore, int | None]:
    """The episodes to learn from, all there are or those that a run was begun with; and how many
    shards it holds at a time, if not all.
    """
    if resume and has_bundle(state):
        begun = begun_with(state)
        return store.first(begun.episodes), begun.held
    store.say_if_unfinished()
    return store, None


def source_of(
    store: RolloutStore,
    config: TrainingConfig,
    held: int | None = None,
    least_frames: int = 1,
    action_block: int = 1,
) -> Source:
    """The source for ``config``; ``held`` shards at a time, as a run was begun with, if it was.

    Raises:
        UserError: if the memory allowed is too little for any part of the data, or every episode is
            shorter than the ``least_frames`` frames that measuring takes.
    """
    train, held_out = store.split(config.holdout_fraction, least_frames)
    if least_frames > 1:
        _require_long(store, held_out, least_frames)
    room = memory_for_frames(config.memory_gb)
    if held is None and store.pixel_bytes <= room:
        return Source(store.load(room), train, held_out)
    fitting = _fitting(store, room)
    held = min(held or fitting, fitting)
    chosen = _looked_at(store, held_out, held)
    _log.info("%d of %d shards in memory at a time", held, len(store.records))
    kept = replace(store, records=tuple(store.records[number] for number in chosen))
    shards = np.repeat(np.arange(len(store.records)), [record.count for record in store.records])
    positions = np.flatnonzero(np.isin(shards, chosen))  # which episodes of the whole they hold
    ids = [np.flatnonzero(np.isin(positions, numbers)) for numbers in (train, held_out)]
    frames = config.batch * config.window_frames
    rows = config.longest_window(action_block)
    rotation = Rotation(store, train, held, frames, config.seed, rows)
    return Source(kept.load(kept.pixel_bytes), ids[0], ids[1], rotation, held)


def memory_for_frames(memory_gb: float) -> int:
    """Bytes for frames where the process may take ``memory_gb`` in all; 0: a share of what is free,
    which ranks on one machine divide.
    """
    if not memory_gb:
        return int(MEMORY_SHARE * available_memory_bytes() / ranks.on_this_machine())
    return max(0, int(memory_gb * 1e9) - used_memory_bytes() - _WORK_BYTES)


def env_steps(store: RolloutStore, ids: Rows) -> int:
    """How many actions the episodes ``ids`` hold."""
    steps = 0
    for record, here in shares(store, ids):
        if len(here) == record.count:
            steps += record.rows - record.count
        elif len(here):
            steps += int((store.read_shard(record).ep_len[here] - 1).sum())
    return steps


def price_before(checkpoint: Path, header: DatasetHeader) -> dict[str, float]:
    """Env steps and seconds that went into ``checkpoint`` and into what it was begun from.

    Steps of the data set with ``header`` are not among them: they are counted where it is learned
    from again.
    """
    facts = checkpoint_facts(checkpoint)
    data, before, ours = facts.get("data", {}), facts.get("before", {}), header.to_json()
    is_same = data.get("behaviour") != RECORDED and all(
        data.get(name) == ours[name] for name in _SAME
    )
    return {
        "env_steps": before.get("env_steps", 0) + (0 if is_same else data.get("env_steps", 0)),
        "training_s": before.get("training_s", 0.0) + facts.get("training_s", 0.0),
    }


def actions_of(episodes: Episodes, ids: Rows) -> Tensor:
    """All actions (N, A) of the episodes ``ids``; nothing acts at an episode's end."""
    spans = [episodes.rows(episode) for episode in ids.tolist()]
    return torch.from_numpy(np.concatenate([episodes.action[span][:-1] for span in spans]))


def _require_long(store: RolloutStore, held_out: Rows, least_frames: int) -> None:
    """What is held out must be long enough to measure on, or every look at the model fails."""
    longest = store.lengths(int(held_out[0]))[held_out - held_out[0]].max()
    if longest < least_frames:
        raise UnfitError(
            f"expected episodes of {least_frames} frames or more in {store.directory} to hold out "
            f"and measure on, got none above {longest}: record longer episodes, or lower "
            "--model.action-block or --model.predictor.context"
        )


def _fitting(store: RolloutStore, room: int) -> int:
    """How many shards can be held at a time, beside those read ahead and those that stay."""
    shard_bytes = max(r.rows for r in store.records) * math.prod(store.header.spec.frame_shape)
    shards = room // shard_bytes
    fitting = [n for n in range(_LEAST_HELD, shards) if n + AHEAD + _staying(n) <= shards]
    if not fitting:
        least = _LEAST_HELD + AHEAD + _LEAST_LOOKED_AT
        least_gb = (used_memory_bytes() + _WORK_BYTES + least * shard_bytes) / 1e9
        raise UserError(
            f"expected --memory of {least_gb:.1f} GB or more for shards of {shard_bytes / 1e6:.0f} "
            f"MB of frames each, {room / 1e6:.0f} MB are left for them: allow more, or record with "
            "fewer episodes in a shard"
        )
    return fitting[-1]


def _staying(held: int) -> int:
    return max(_LEAST_LOOKED_AT, held // _HELD_TO_LOOKED_AT)


def _looked_at(store: RolloutStore, ids: Rows, held: int) -> list[int]:
    """The shards that stay, in order, by number: some with the held-out ``ids``, some without."""
    has_one = np.array([len(here) > 0 for _, here in shares(store, ids)])
    held_out = _evenly(np.flatnonzero(has_one), max(1, _staying(held) // 4))
    train = _evenly(np.flatnonzero(~has_one), _staying(held) - len(held_out))
    if not train:
        raise UserError(
            f"expected whole shards of training episodes in {store.directory}, got none: allow "
            "more memory (--memory), or record with fewer episodes in a shard"
        )
    return sorted([*train, *held_out])


def _evenly(numbers: Rows, count: int) -> list[int]:
    places = np.linspace(0, len(numbers) - 1, min(count, len(numbers))).astype(int)
    return [int(n) for n in numbers[places]]
