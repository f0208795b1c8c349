"""Two workers of Ray against two processes of our own: collecting and evaluating, after start-up.

    .venv/bin/python -m benchmarks.cluster_speed --json results/scaling/speed.json

The rate is that from the first result to the last, so that starting Python, Ray and OpenGL is left
out; it is told beside. Rounds alternate, and medians are compared.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from agent.cluster import one_cluster
from agent.cluster.ray_session import LOCAL
from agent.commands.console import note
from agent.commands.measurement import Measurement
from agent.commands.worlds_asked import WorldAsked
from agent.data import CollectConfig, collect
from agent.data.manifest import MANIFEST_NAME
from agent.evaluation.provenance import circumstances
from agent.files.json_files import write_json
from agent.model.shipped import SHIPPED, find_checkpoint

SCHEMA = "lejepa-agent/cluster-speed/1"
WORKERS = 2
Told = Callable[..., None]


def rate(job: Callable[[Told], Any]) -> tuple[float, float, Any]:
    """Episodes per second between the first and the last told of, seconds to the first, result."""
    told: list[tuple[int, float]] = []
    start_s = time.monotonic()

    def tell(done: int, total: int, text: str = "") -> None:
        if done and (not told or done > told[-1][0]):
            told.append((done, time.monotonic()))

    result = job(tell)
    (first, first_s), (last, last_s) = told[0], told[-1]
    return (last - first) / (last_s - first_s), first_s - start_s, result


def collecting(cluster: str, place: Path, episodes: int) -> Callable[[Told], bytes]:
    """Collect anew; what is returned tells one data set from another."""

    def job(tell: Told) -> bytes:
        out = Path(tempfile.mkdtemp(dir=place))
        config = CollectConfig(
            out, episodes=episodes, episodes_per_shard=4, workers=WORKERS, cluster=cluster
        )
        collect(config, tell)
        return (out / MANIFEST_NAME).read_bytes()

    return job


def evaluating(cluster: str, episodes: int) -> Callable[[Told], Any]:
    """Evaluate the shipped world model; returns the verdicts."""
    job = Measurement(
        "world-model", find_checkpoint(SHIPPED), WorldAsked(SHIPPED.name), "anywhere", episodes, 7,
        batch=5, workers=WORKERS, cluster=cluster,
    )  # fmt: skip

    def run(tell: Told) -> Any:
        rows = job.run(tell)["per_episode"]
        return [{k: v for k, v in row.items() if k != "decision_ms"} for row in rows]

    return run


def compare(make: Callable[[str], Callable[[Told], Any]], rounds: int) -> dict[str, Any]:
    """Both ways in turn."""
    found: dict[str, list[tuple[float, float, Any]]] = {"": [], LOCAL: []}
    for _ in range(rounds):
        for cluster, rows in found.items():
            rows.append(rate(make(cluster)))
            note(f"{cluster or 'processes'}: {rows[-1][0]:.2f} episodes/s")
    rates = {cluster: median(row[0] for row in rows) for cluster, rows in found.items()}
    return {
        "processes_episodes_per_s": round(rates[""], 3),
        "ray_episodes_per_s": round(rates[LOCAL], 3),
        "ratio": round(rates[LOCAL] / rates[""], 3),
        "processes_first_result_s": round(median(row[1] for row in found[""]), 2),
        "ray_first_result_s": round(median(row[1] for row in found[LOCAL]), 2),
        "same_results": all(row[2] == found[""][0][2] for rows in found.values() for row in rows),
        "rounds": [[round(row[0], 3) for row in rows] for rows in found.values()],
    }


def main() -> None:
    """Run it and keep the outcome."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--collected", type=int, default=160, help="episodes of a round")
    parser.add_argument("--evaluated", type=int, default=102, help="episodes of a round")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--json", type=Path, help="where to write the outcome")
    asked = parser.parse_args()
    start_s = time.monotonic()
    with tempfile.TemporaryDirectory() as name, one_cluster(LOCAL, WORKERS):
        starting_s, place = round(time.monotonic() - start_s, 1), Path(name)
        outcome = {
            "workers": WORKERS,
            "starting_ray_s": starting_s,
            "collect": compare(lambda c: collecting(c, place, asked.collected), asked.rounds),
            "evaluate": compare(lambda c: evaluating(c, asked.evaluated), asked.rounds),
        }
    note(str(outcome))
    if asked.json:
        write_json(asked.json, {"schema": SCHEMA, **circumstances(), **outcome})


if __name__ == "__main__":
    main()
