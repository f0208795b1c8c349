"""Looking at a data set: what is in it, where the world has been, how it was moved."""

from __future__ import annotations

import hashlib
from math import isfinite
from pathlib import Path

import numpy as np

from agent.data.shards import Columns
from agent.data.store import RolloutStore
from agent.interfaces import Array, Image
from envs import Column

Facts = dict[str, str | int | float]
BINS = 36  # a number's range is cut into, to see how much of it was visited


def inspect_dataset(directory: Path | str) -> Facts:
    """Facts about a data set, in the order to show them; pictures are not read.

    Units are in the names. ``... coverage`` is the share of 36 bins of a state's range that some
    frame is in, where the range is known.
    """
    store = RolloutStore.open(directory)
    header, spec = store.header, store.header.spec
    steps = store.row_count - store.episode_count
    height, width = spec.image_size
    facts: Facts = {
        "directory": str(store.directory),
        "schema": header.schema,
        "world": spec.world,
        "look": spec.look,
        "image size [px]": f"{height} high x {width} wide",
        "action dim": spec.action_dim,
        "env step [s]": spec.step_s,
        "state": ", ".join(spec.state_names) or "none",
        "behaviour": header.behaviour,
        "seed": header.seed,
        "episodes": store.episode_count,
        "episodes wanted": header.episodes or store.episode_count,
        "frames": store.row_count,
        "experience [min]": round(steps * spec.step_s / 60, 1),
        "shards": len(store.records),
        "disk [MB]": round(sum(r.size_bytes for r in store.records) / 1e6, 1),
        "memory [MB]": round(store.pixel_bytes / 1e6, 1),
    }
    columns = store.load_columns()
    if columns:
        states = np.concatenate([part.state for part in columns])
        for column, values in zip(spec.state, states.T, strict=True):
            facts |= state_facts(column, values)
        actions = np.concatenate([part.action for part in columns])
        facts["mean abs action"] = round(float(np.nanmean(np.abs(actions))), 3)
        lengths = np.concatenate([part.ep_len for part in columns])
        facts["episode frames"] = f"{lengths.min()} to {lengths.max()}"
    return facts


def verify_dataset(directory: Path | str) -> Facts:
    """Read and check every byte; what was checked. DamagedDataError names each bad shard.

    Besides: how many frames are the one before once more, as of a camera that is slower than the
    actions, and how many episodes are another one once more.
    """
    store = RolloutStore.open(directory)
    repeats = _Repeats()
    store.verify(repeats.look)
    return {
        "directory": str(store.directory),
        "shards": len(store.records),
        "episodes": store.episode_count,
        "frames": store.row_count,
        "disk [MB]": round(sum(r.size_bytes for r in store.records) / 1e6, 1),
        "frames that are the one before": f"{repeats.share:.1%}",
        "episodes that are another one": repeats.episodes,
    }


class _Repeats:
    """What was recorded twice."""

    def __init__(self) -> None:
        self._same = self._steps = self.episodes = 0
        self._known: set[bytes] = set()

    @property
    def share(self) -> float:
        """Of the frames that have one before them."""
        return self._same / max(1, self._steps)

    def look(self, pixels: Image, columns: Columns) -> None:
        """The frames (N, h, w, 3) of a shard, and the rest of it."""
        ends = np.cumsum(columns.ep_len)[:-1]
        parts = zip(np.split(pixels, ends), np.split(columns.action, ends), strict=True)
        for frames, actions in parts:
            steps = frames[1:] == frames[:-1]
            self._same += int(steps.reshape(len(steps), -1).all(1).sum())
            self._steps += len(steps)
            own = hashlib.sha256(frames.tobytes() + actions.tobytes()).digest()
            self.episodes += own in self._known
            self._known.add(own)


def state_facts(column: Column, values: Array) -> Facts:
    """How much of its range a state's number (N,) visits; its usual size where it has none."""
    is_turn = isfinite(column.period) and not (isfinite(column.low) and isfinite(column.high))
    low, high = (0.0, column.period) if is_turn else (column.low, column.high)
    unit = f" [{column.unit}]" if column.unit else ""
    if not (isfinite(low) and isfinite(high)):
        sizes = np.abs(values)
        return {
            f"{column.name} mean abs{unit}": round(float(sizes.mean()), 2),
            f"{column.name} p95 abs{unit}": round(float(np.percentile(sizes, 95)), 2),
        }
    turned = np.mod(values, column.period) if is_turn else values
    bins = np.clip((turned - low) / (high - low) * BINS, 0, BINS - 1).astype(np.int64)
    return {f"{column.name} coverage": round(len(np.unique(bins)) / BINS, 3)}
