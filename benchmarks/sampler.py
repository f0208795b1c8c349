"""How fast training windows are served, from memory and from disk.

    python benchmarks/sampler.py --data data/reacher --json results/sampler.json

Windows per second and MB of frames per second for batches of 64 windows of 8 frames, 2 env steps
apart. Beside ours: one HDF5 slice per window from the same files, the usual
way to read such columns, and the bare copy of as many bytes, which nothing that copies can beat.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from agent.data import Episodes, RolloutStore, WindowSampler
from agent.data.windows import Drawing
from agent.errors import UserError
from agent.evaluation.provenance import circumstances
from agent.files.json_files import write_json

BATCH, FRAMES, STRIDE = 64, 8, 2


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="a data set made by collect")
    parser.add_argument("--seconds", type=float, default=3.0, help="time for each measurement")
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args()
    try:
        store = RolloutStore.open(options.data)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    result = measure(store, options.seconds)
    print(json.dumps(result))
    if options.json:
        write_json(options.json, result)
    return 0


def measure(store: RolloutStore, seconds: float) -> dict[str, Any]:
    """Windows and MB of frames per second, ``seconds`` for each way to serve them."""
    started_s = time.perf_counter()
    memory = store.load()
    load_s = time.perf_counter() - started_s
    measured = {
        "memory": rate(from_sampler(memory), seconds),
        "disk": rate(from_sampler(store.load(memory_limit_bytes=0)), seconds),
        "hdf5_slice_per_window": rate(from_slices(store), seconds),
        "bare_copy": rate(bare_copy(memory), seconds),
    }
    frame_mb = np.prod(memory.pixels.shape[1:]) * FRAMES / 1e6
    return {
        "command": f"python benchmarks/sampler.py --data DIR --seconds {seconds:g}",
        "batch": BATCH, "frames": FRAMES, "stride": STRIDE,
        "dataset_frames": store.row_count, "load_s": round(load_s, 2),
        "windows_per_s": {name: round(value) for name, value in measured.items()},
        "mb_per_s": {name: round(value * frame_mb) for name, value in measured.items()},
        **circumstances(),
    }  # fmt: skip


def rate(step: Callable[[int], object], seconds: float) -> float:
    """Windows per second of a function that serves one batch."""
    step(0)
    started_s, count = time.perf_counter(), 0
    while time.perf_counter() - started_s < seconds:
        count += 1
        step(count)
    return BATCH * count / (time.perf_counter() - started_s)


def from_sampler(episodes: Episodes) -> Callable[[int], object]:
    """Our sampler, on whatever holds the pictures."""
    return sampler_of(episodes).sample


def sampler_of(episodes: Episodes) -> WindowSampler:
    """The windows of the benchmark."""
    return WindowSampler(episodes, range(episodes.count), Drawing(FRAMES, STRIDE, BATCH, seed=0))


def from_slices(store: RolloutStore) -> Callable[[int], object]:
    """One strided HDF5 slice per window."""
    files = [h5py.File(record.path(store.directory), "r") for record in store.records[:64]]
    rng = np.random.default_rng(0)
    rows, span = store.header.episode_steps + 1, (FRAMES - 1) * STRIDE + 1

    def window() -> np.ndarray:
        file = files[rng.integers(len(files))]
        start = rng.integers(len(file["ep_len"])) * rows + rng.integers(rows - span + 1)
        return file["pixels"][start : start + span : STRIDE]

    return lambda step: np.stack([window() for _ in range(BATCH)])


def bare_copy(episodes: Episodes) -> Callable[[int], object]:
    """As many bytes as a batch, copied from one place."""
    block = np.array(episodes.pixels[np.arange(BATCH * FRAMES)])
    return lambda step: block.copy()


if __name__ == "__main__":
    raise SystemExit(main())
