"""Steps of training beside a process that keeps a core busy: threads that wait asleep or awake.

    .venv/bin/python -m benchmarks.busy_neighbour --json results/reliability/busy-neighbour.json

Each row is a process of its own, as OpenMP reads how to wait once. Nothing else should run
meanwhile.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from agent.commands.console import note
from agent.evaluation.provenance import circumstances
from agent.files.json_files import write_json
from agent.machine.cores import usable_cores

WAITING = {"asleep": {}, "awake": {"GOMP_SPINCOUNT": "300000"}}  # the runtime's own, if not told
BATCH_FRAMES = 256
LIMIT_S = 60.0  # a row that takes longer is given up


def main() -> None:
    """Measure, print, and write JSON if asked."""
    arguments = _parse()
    if arguments.threads:
        print(steps_s(arguments.checkpoint, arguments.steps, arguments.threads))
        return
    rows = []
    for neighbours in (0, 1):
        for threads, how in ((1, "asleep"), (usable_cores(), "asleep"), (usable_cores(), "awake")):
            with busy(neighbours):
                seconds = in_a_process(arguments, threads, WAITING[how])
            rows.append(
                {"neighbours": neighbours, "threads": threads, "waiting": how, "seconds": seconds}
            )
            note(json.dumps(rows[-1]))
    if arguments.json:
        command = f"python -m benchmarks.busy_neighbour --steps {arguments.steps}"
        result = {"command": command, "batch_frames": BATCH_FRAMES, "limit_s": LIMIT_S}
        write_json(arguments.json, {**result, "rows": rows, **circumstances()})


def steps_s(checkpoint: Path, steps: int, threads: int) -> float:
    """Seconds of ``steps`` gradients of the encoder of ``checkpoint`` on one batch of frames."""
    import torch

    from agent.model.checkpoint import load_checkpoint

    torch.set_num_threads(threads)
    model = load_checkpoint(checkpoint)
    frames = torch.randint(0, 256, (BATCH_FRAMES, *model.spec.image_size, 3), dtype=torch.uint8)
    model.encode(frames).square().mean().backward()  # the first fills caches
    began_s = time.perf_counter()
    for _ in range(steps):
        model.encode(frames).square().mean().backward()
    return time.perf_counter() - began_s


def in_a_process(arguments: argparse.Namespace, threads: int, told: dict[str, str]) -> float | None:
    """:func:`steps_s` of a process ``told`` these variables; None if it took too long."""
    words = [sys.executable, "-m", "benchmarks.busy_neighbour", "--steps", str(arguments.steps)]
    words += ["--checkpoint", str(arguments.checkpoint), "--threads", str(threads)]
    unsaid = ("OMP_NUM_THREADS", "OMP_WAIT_POLICY", "KMP_BLOCKTIME")
    environment = {k: v for k, v in os.environ.items() if k not in unsaid} | told
    try:
        done = subprocess.run(
            words, env=environment, capture_output=True, text=True, check=True, timeout=LIMIT_S
        )
    except subprocess.TimeoutExpired:
        return None
    return round(float(done.stdout), 2)


@contextmanager
def busy(count: int) -> Iterator[None]:
    """``count`` processes compute meanwhile."""
    context: Any = multiprocessing.get_context("spawn")
    others = [context.Process(target=_compute, daemon=True) for _ in range(count)]
    for other in others:
        other.start()
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.join()


def _compute() -> None:
    while True:
        pass


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--threads", type=int, default=0, help="measure one row, and print it")
    parser.add_argument("--checkpoint", type=Path, default=Path("checkpoints/reacher"))
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
