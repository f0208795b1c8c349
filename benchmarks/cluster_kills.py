"""Four nodes of a Ray cluster collect, and one of them is killed every few seconds.

    .venv/bin/python -m benchmarks.cluster_kills --json results/scaling/kills.json

The nodes are emulated on this machine: each has a raylet, an object store and workers of its own,
which are killed at once. Another node takes its place, as a cluster's scheduler would see to. The
data set must be that of local processes to the byte: nothing lost, nothing doubled.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import shutil
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from agent.cluster.ray_session import OBJECT_STORE_BYTES, locked
from agent.commands.console import note
from agent.data import CollectConfig, RolloutStore, collect
from agent.data.manifest import MANIFEST_NAME, SHARD_FOLDER, read_manifest
from agent.evaluation.provenance import circumstances
from agent.files.json_files import write_json

SCHEMA = "lejepa-agent/cluster-kills/1"
NODES = 4


class Nodes:
    """Emulated nodes with one core each, beside a head that works at nothing; a context manager."""

    def __init__(self, count: int) -> None:
        from ray.cluster_utils import Cluster

        self._count = count
        self._place = tempfile.mkdtemp(prefix="ray-")
        os.environ["RAY_TMPDIR"] = self._place  # where it notes which cluster is the last
        (Path(self._place) / "ray").mkdir()
        self._usual = {
            "node_ip_address": "127.0.0.1", "include_dashboard": False,
            "object_store_memory": OBJECT_STORE_BYTES, "temp_dir": self._place,
        }  # fmt: skip
        self._cluster = Cluster(initialize_head=True, head_node_args={**self._usual, "num_cpus": 0})
        self._workers: list[Any] = []

    @property
    def address(self) -> str:
        """As ``--cluster`` takes it."""
        return str(self._cluster.address)

    def __enter__(self) -> Nodes:
        for _ in range(self._count):
            self.add()
        return self

    def add(self) -> None:
        """One node more."""
        self._workers.append(self._cluster.add_node(**self._usual, num_cpus=1))

    def kill_oldest(self) -> None:
        """SIGKILL to all that the node runs, and another node in its place."""
        node = self._workers.pop(0)
        node.kill_all_processes(check_alive=False, allow_graceful=False, wait=True)
        self._cluster.worker_nodes.remove(node)
        self.add()

    def __exit__(self, *unused: object) -> None:
        self._cluster.shutdown()
        shutil.rmtree(self._place, ignore_errors=True)


@dataclass(frozen=True)
class Outcome:
    """What came of it; ``lost`` and ``doubled`` are episodes."""

    nodes: int
    killed: int
    every_s: float
    episodes: int
    lost: int
    doubled: int
    wall_s: float
    same_bytes_as_local_processes: bool
    wall_s_of_local_processes: float


def outlive(config: CollectConfig, every_s: float, kills: int) -> Outcome:
    """Collect on four nodes, of which ``kills`` are killed, one ``every_s``; and here."""
    there, here = config.out / "there", config.out / "here"
    with locked(), Nodes(NODES) as nodes:
        start_s = time.monotonic()
        killed = _collect_and_kill(config, there, nodes, every_s, kills)
        wall_s = time.monotonic() - start_s
    start_s = time.monotonic()
    _collect(config, here)
    records = read_manifest(there)
    held = [n for record in records for n in range(*record.episodes)]
    RolloutStore.open(there).verify()
    return Outcome(
        NODES, killed, every_s, config.episodes,
        lost=config.episodes - len(set(held)),
        doubled=len(held) - len(set(held)),
        wall_s=round(wall_s, 1),
        same_bytes_as_local_processes=_files(there) == _files(here),
        wall_s_of_local_processes=round(time.monotonic() - start_s, 1),
    )  # fmt: skip


def _collect(config: CollectConfig, out: Path, cluster: str = "") -> None:
    said = vars(config) | {"out": out, "cluster": cluster}
    if cluster:
        said["workers"] = None
    collect(CollectConfig(**said), lambda done, total: note(f"{out.name} {done}/{total}"))


def _collect_and_kill(
    config: CollectConfig, out: Path, nodes: Nodes, every_s: float, kills: int
) -> int:
    """Collect in a process of its own, since Ray adds nodes in the main thread alone."""
    context = multiprocessing.get_context("spawn")
    collecting = context.Process(target=_collect, args=(config, out, nodes.address))
    collecting.start()
    killed = 0
    while collecting.is_alive():
        collecting.join(every_s)
        if collecting.is_alive() and killed < kills:
            nodes.kill_oldest()
            killed += 1
            note(f"killed node {killed} of {kills}")
    assert collecting.exitcode == 0, f"collecting ended with exit code {collecting.exitcode}"
    return killed


def _files(directory: Path) -> dict[str, bytes]:
    shards = {path.name: path.read_bytes() for path in (directory / SHARD_FOLDER).iterdir()}
    return shards | {MANIFEST_NAME: (directory / MANIFEST_NAME).read_bytes()}


def main() -> None:
    """Run it and keep the outcome."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--world", default="two-room")
    parser.add_argument("--episodes", type=int, default=4000)
    parser.add_argument("--every", type=float, default=10.0, help="seconds from kill to kill")
    parser.add_argument("--kills", type=int, default=12)
    parser.add_argument("--json", type=Path, help="where to write the outcome")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        config = CollectConfig(Path(place), asked.world, episodes=asked.episodes)
        outcome = outlive(config, asked.every, asked.kills)
    note(str(outcome))
    if asked.json:
        write_json(asked.json, {"schema": SCHEMA, **circumstances(), **asdict(outcome)})


if __name__ == "__main__":
    main()
