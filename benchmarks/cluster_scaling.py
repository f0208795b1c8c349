"""How many workers one committing process can serve: measured with emulated ones, then told on.

    .venv/bin/python -m benchmarks.cluster_scaling --json results/scaling/scaling.json

An emulated worker is a real process of Ray that sleeps as long as a shard takes to make and hands
over as many bytes as a shard has; this process commits them as ``collect`` does. What one commit
costs is measured apart, with no worker at all: its inverse is the most that can be committed.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.cluster import crew_for
from agent.cluster.ray_session import LOCAL, ray_session
from agent.commands.console import note
from agent.data.collect import commit_shard
from agent.data.header import DatasetHeader
from agent.data.manifest import SHARD_FOLDER
from agent.data.shards import Shard
from agent.evaluation.provenance import circumstances
from agent.files.json_files import write_json
from envs import WorldSpec

SCHEMA = "lejepa-agent/cluster-scaling/1"
BEYOND = (128, 256, 512, 1000)
SPEC = WorldSpec("recorded:emulated", "none", (8, 8), 1, 0.1)


@dataclass(frozen=True)
class Emulated:
    """Sleeps as long as a shard takes, and gives as many bytes."""

    shard_s: float
    shard_bytes: int

    def begin(self) -> Callable[[int], Shard]:
        """Bytes that no file system compresses."""
        content = os.urandom(self.shard_bytes)
        return lambda number: self.make(content)

    def make(self, content: bytes) -> Shard:
        """One shard."""
        time.sleep(self.shard_s)
        return Shard(content, 1)


class Committing:
    """A data set that emulated shards are committed to, as ``collect`` does."""

    def __init__(self, out: Path) -> None:
        (out / SHARD_FOLDER).mkdir(parents=True)
        DatasetHeader(SPEC, "emulated", 0, 10**6, 1, 1).write(out)
        self._out, self._count = out, 0

    def commit(self, shard: Shard) -> None:
        """The next one."""
        commit_shard(self._out, self._count, (self._count, self._count + 1), shard)
        self._count += 1


def commit_s(out: Path, shard_bytes: int, count: int = 50) -> float:
    """Seconds that a commit takes."""
    committing, shard = Committing(out), Shard(os.urandom(shard_bytes), 1)
    start_s = time.monotonic()
    for _ in range(count):
        committing.commit(shard)
    return (time.monotonic() - start_s) / count


def served(out: Path, workers: int, work: Emulated, rounds: int) -> dict[str, Any]:
    """Shards per second that come to be committed, once every worker has begun; and this CPU."""
    committing, told = Committing(out), []
    tasks = list(range(workers * (rounds + 1)))
    with crew_for(work, workers, len(tasks), LOCAL) as crew:
        for done, (_, shard) in enumerate(crew.as_done(tasks), 1):
            committing.commit(shard)
            told.append((done, time.monotonic(), time.process_time()))
    (first, first_s, before_s), (last, last_s, after_s) = told[workers - 1], told[-1]
    rate, ideal = (last - first) / (last_s - first_s), workers / work.shard_s
    return {
        "workers": workers,
        "shards_per_s": round(rate, 2),
        "ideal_shards_per_s": round(ideal, 2),
        "share": round(rate / ideal, 3),
        "committing_process_cpu": round((after_s - before_s) / (last_s - first_s), 3),
    }


def told_on(shard_s: float, most: float, per_line: float) -> list[dict[str, Any]]:
    """The model: min(what workers make, what one process commits), by bytes and by lines alone."""
    return [
        {
            "workers": workers,
            "made_per_s": round(workers / shard_s, 1),
            "committed_per_s": round(min(workers / shard_s, most), 1),
            "share": round(min(1.0, most * shard_s / workers), 3),
            "share_if_lines_alone_travel": round(min(1.0, per_line * shard_s / workers), 3),
        }
        for workers in BEYOND
    ]


def main() -> None:
    """Run it and keep the outcome."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--workers", type=int, nargs="+", default=[4, 16, 64])
    parser.add_argument("--shard-s", type=float, default=1.5, help="to make one, on one core")
    parser.add_argument("--shard-bytes", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--json", type=Path, help="where to write the outcome")
    asked = parser.parse_args()
    work = Emulated(asked.shard_s, asked.shard_bytes)
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        of_bytes, of_line = (commit_s(place / str(n), n) for n in (work.shard_bytes, 1))
        measured = []
        for workers in asked.workers:
            with ray_session(LOCAL, workers):
                measured.append(served(place / f"for-{workers}", workers, work, asked.rounds))
            note(str(measured[-1]))
    outcome = {
        "shard_s": work.shard_s,
        "shard_bytes": work.shard_bytes,
        "commit_ms": round(1e3 * of_bytes, 2),
        "commit_of_one_byte_ms": round(1e3 * of_line, 2),
        "measured": measured,
        "model": told_on(work.shard_s, 1 / of_bytes, 1 / of_line),
    }
    note(str(outcome))
    if asked.json:
        write_json(asked.json, {"schema": SCHEMA, **circumstances(), **outcome})


if __name__ == "__main__":
    main()
