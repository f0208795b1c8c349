"""Training on frames that outgrow memory, beside the same training with all of them in memory.

    python -m benchmarks.outgrown --data data/reacher --json results/scaling/outgrown.json

The data set is repeated, by links to its shards, until its frames are four times --memory. The peak
is that of a short training in a process of its own, the speeds those of the LeJEPA loss alone.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

from agent.config import ExperimentConfig, preset
from agent.data import RolloutStore
from agent.data.manifest import MANIFEST_NAME, SHARD_FOLDER, ShardRecord
from agent.evaluation.provenance import circumstances
from agent.files.json_files import write_json
from agent.model.checkpoint import checkpoint_facts
from agent.training.trainer import Trainer

TIMES = 4  # the frames are of the memory allowed
PEAK_STEPS = 60
BLOCKS, BLOCK_STEPS = 3, 32  # of two turns each
SCRIPT = Path(__file__).parents[1] / "run_agent.py"


def main() -> None:
    """Measure, print, and write JSON if asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="a data set made by collect")
    parser.add_argument("--memory", type=float, default=1.0, help="what training may take [GB]")
    parser.add_argument("--json", type=Path, help="write the figures here")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.data.parent) as place:
        result = measure(asked.data, asked.memory, Path(place))
    print(json.dumps(result, indent=2))
    if asked.json:
        write_json(asked.json, result)


def measure(data: Path, memory_gb: float, place: Path) -> dict[str, Any]:
    """Speeds [frames/s] of both, and what the one in turn took at most [MB] from first to last."""
    store = repeated(data, place / "data", int(TIMES * memory_gb * 1e9))
    assert isinstance(store.directory, Path)
    peak_mb = peak(store.directory, place / "peak", memory_gb)
    speeds, waited_s = paired(store.directory, place, memory_gb)
    return {
        "command": f"python -m benchmarks.outgrown --data DIR --memory {memory_gb:g}",
        "frames_mb": round(store.pixel_bytes / 1e6), "allowed_mb": round(memory_gb * 1e3),
        "peak_mb": peak_mb, "shards": len(store.records),
        "frames_per_s": speeds, "waited_for_shards_s": waited_s,
        "speed_share": round(speeds["in_turn"] / speeds["in_memory"], 3),
        **circumstances(),
    }  # fmt: skip


def repeated(data: Path, out: Path, least_bytes: int) -> RolloutStore:
    """The data set again and again, until its frames are so many bytes."""
    store = RolloutStore.open(data)
    (out / SHARD_FOLDER).mkdir(parents=True)
    records: list[ShardRecord] = []
    for number in count():
        record, first = store.records[number % len(store.records)], len(records)
        begin = records[-1].episodes[1] if records else 0
        name = f"shard-{first:05d}.h5"
        os.link(record.path(data), out / SHARD_FOLDER / name)
        span = (begin, begin + record.count)
        records.append(replace(record, shard=name, index=first, episodes=span))
        if replace(store, records=tuple(records)).pixel_bytes >= least_bytes:
            break
    replace(store.header, episodes=records[-1].episodes[1]).write(out)
    (out / MANIFEST_NAME).write_text("".join(f"{record.to_line()}\n" for record in records))
    return RolloutStore.open(out)


def peak(data: Path, out: Path, memory_gb: float) -> float:
    """The most [MB] that a short training holds, in a process of its own, checkpoint included."""
    words = ["train", "--data", str(data), "--out", str(out), "--steps", str(PEAK_STEPS)]
    words += ["--memory", str(memory_gb)]
    subprocess.run([sys.executable, str(SCRIPT), *words], check=True, stdout=subprocess.DEVNULL)
    return float(checkpoint_facts(out / "checkpoint")["peak_memory_mb"])


def paired(data: Path, place: Path, memory_gb: float) -> tuple[dict[str, int], float]:
    """Frames per second of the median block of steps of each, blocks taking turns, so that what
    else the machine does meets both; and how long steps waited for shards [s].
    """
    allowed = {"in_turn": memory_gb, "in_memory": 3 * TIMES * memory_gb}
    trainers = {n: Trainer(data, place / n, settings(gb)) for n, gb in allowed.items()}
    blocks: dict[str, list[float]] = {name: [] for name in trainers}
    for _ in range(BLOCKS + 1):
        for name, trainer in trainers.items():
            began_s = time.perf_counter()
            for _ in range(BLOCK_STEPS):
                trainer._train_one_step()
            blocks[name].append(time.perf_counter() - began_s)
    training = settings(memory_gb).training
    frames = BLOCK_STEPS * training.batch * training.window_frames
    rotation = trainers["in_turn"]._rotation
    assert rotation is not None
    speeds = {name: round(frames / statistics.median(s[1:])) for name, s in blocks.items()}
    return speeds, round(rotation.waited_s, 2)


def settings(memory_gb: float) -> ExperimentConfig:
    """The default's main part."""
    default = preset("default")
    main = replace(default.training, memory_gb=memory_gb, warm_start=0.0, settling=0.0)
    return replace(default, training=main)


if __name__ == "__main__":
    main()
