"""Measure what the README's table shows and ``results/evaluation/`` does not hold yet.

    make checkpoint && .venv/bin/python benchmarks/results.py

Remove a file to have it measured again. The SAC it measures is the one the demo trained.
"""

from __future__ import annotations

import os
from pathlib import Path

from agent.commands.evaluate import ControllerName, Measurement
from agent.commands.measuring import measure_all
from agent.evaluation.results import write_result

RESULTS = Path("results/evaluation")
SEED = 2000
WORLD_MODEL = Path("checkpoints/reacher")
SAC = Path("runs/demo/sac/checkpoint")
EPISODES = 300
ORACLE_EPISODES = 10  # it steps the simulator a thousand times a decision


def jobs() -> list[Measurement]:
    """All that the table has, but what is there already."""
    learned: dict[ControllerName, Path | None] = {
        "world-model": WORLD_MODEL, "sac": SAC, "computed-torque": None, "random": None,
        "noop": None, "oracle": None,
    }  # fmt: skip
    every = [
        Measurement(name, checkpoint, protocol, _episodes(name), SEED)
        for name, checkpoint in learned.items()
        for protocol in ("anywhere", "lewm", "swift")
    ]
    return [job for job in every if not path_of(job.protocol, job.controller).exists()]


def path_of(protocol: str, controller: str) -> Path:
    """Where a result is kept."""
    return RESULTS / f"{protocol}-{controller}.json"


def _episodes(name: ControllerName) -> int:
    return ORACLE_EPISODES if name == "oracle" else EPISODES


def main() -> None:
    """Measure on all cores, one thread a job, and write the files."""
    quick = [job for job in jobs() if job.controller != "oracle"]
    slow = [job for job in jobs() if job.controller == "oracle"]
    for group in (quick, slow):
        for result in measure_all(group, os.cpu_count() or 1) if group else []:
            write_result(path_of(result["protocol"], result["controller"]), result)


if __name__ == "__main__":
    main()
