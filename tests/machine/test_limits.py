"""Cores and memory in containers, against made trees of control groups."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent.commands.checks import check_memory
from agent.machine import cgroup, memory
from agent.machine.cores import usable_cores
from agent.machine.memory import available_memory_bytes

ROOT = Path(__file__).parents[2]
GB = 10**9
NO_LIMIT_V1 = 9223372036854771712


class Tree:
    """Control groups under a directory; ``own`` is what /proc/self/cgroup says."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def own(self, text: str) -> None:
        (self.place / "own").write_text(text)

    def write(self, group: str, **files: object) -> None:
        directory = self.place / "cgroup" / group
        directory.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (directory / name.replace("__", ".")).write_text(f"{content}\n")


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    """No groups yet, on a machine of 64 cores and 100 GB."""
    monkeypatch.setattr(cgroup, "MOUNT", tmp_path / "cgroup")
    monkeypatch.setattr(cgroup, "OWN_GROUPS", tmp_path / "own")
    monkeypatch.setattr(memory, "_of_machine", lambda: 100 * GB)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)), raising=False)
    return Tree(tmp_path)


def v2(limit: object, used: int = 0, inactive: int = 0) -> dict[str, object]:
    stat = f"anon 12\nfile 34\ninactive_file {inactive}\ntotal_inactive_file 0"
    return {"memory__max": limit, "memory__current": used, "memory__stat": stat}


def v1(limit: int, used: int = 0, inactive: int = 0) -> dict[str, object]:
    stat = f"inactive_file 1\ntotal_inactive_file {inactive}"
    return {
        "memory__limit_in_bytes": limit, "memory__usage_in_bytes": used, "memory__stat": stat,
    }  # fmt: skip


def test_without_groups_the_machine_is_the_limit(tree: Tree) -> None:
    assert (usable_cores(), available_memory_bytes()) == (64, 100 * GB)


def test_cached_files_are_not_used_memory(tree: Tree) -> None:
    tree.own("0::/\n")
    tree.write("", **v2(8 * GB, used=7 * GB, inactive=6 * GB))
    assert available_memory_bytes() == 7 * GB
    assert check_memory().status == "ok"


def test_a_full_container_has_nothing_left(tree: Tree) -> None:
    tree.own("0::/\n")
    tree.write("", **v2(8 * GB, used=9 * GB))
    assert available_memory_bytes() == 0
    assert check_memory().status == "problem"


@pytest.mark.parametrize("limited", ["", "a.slice", "a.slice/b.scope"])
def test_the_limit_of_any_group_around_holds(tree: Tree, limited: str) -> None:
    tree.own("0::/a.slice/b.scope\n")
    for group in ("", "a.slice", "a.slice/b.scope"):
        tree.write(group, **v2("max", used=5 * GB), cpu__max="max 100000")
    tree.write(limited, **v2(6 * GB, used=5 * GB, inactive=GB), cpu__max="300000 100000")
    assert (usable_cores(), available_memory_bytes()) == (3, 2 * GB)


def test_a_name_hidden_by_the_container_leaves_its_own_root(tree: Tree) -> None:
    tree.own("0::/docker/0123\n")
    tree.write("", **v2(3 * GB, used=GB), cpu__max="200000 100000")
    assert (usable_cores(), available_memory_bytes()) == (2, 2 * GB)


def test_limits_of_the_first_version(tree: Tree) -> None:
    tree.own("5:cpu,cpuacct:/job\n4:memory:/job/step\n1:name=systemd:/\n0::/\n")
    tree.write("memory", **v1(NO_LIMIT_V1, used=50 * GB))
    tree.write("memory/job", **v1(4 * GB, used=3 * GB, inactive=2 * GB))
    tree.write("memory/job/step", **v1(NO_LIMIT_V1, used=GB))
    tree.write("cpu,cpuacct/job", cpu__cfs_quota_us=400000, cpu__cfs_period_us=100000)
    assert (usable_cores(), available_memory_bytes()) == (4, 3 * GB)


@pytest.mark.parametrize(("quota", "cores"), [(-1, 64), (50000, 1), (250000, 2)])
def test_part_of_a_core_is_none_but_there_is_always_one(tree: Tree, quota: int, cores: int) -> None:
    tree.own("5:cpu:/\n")
    tree.write("cpu", cpu__cfs_quota_us=quota, cpu__cfs_period_us=100000)
    assert usable_cores() == cores


def test_files_that_say_nothing_sensible_limit_nothing(tree: Tree) -> None:
    tree.own("0::/\nrubbish\n")
    tree.write("", memory__max="", memory__current="x", cpu__max="")
    assert (usable_cores(), available_memory_bytes()) == (64, 100 * GB)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="Linux alone pins a process")
@pytest.mark.parametrize(
    "words",
    [
        [sys.executable, "-m", "agent.machine.cores"],
        [
            "make",
            "--no-print-directory",
            "--eval",
            "show:; @echo $(THREADS)",
            f"PYTHON={sys.executable}",
            "show",
        ],
    ],
    ids=["program", "make"],
)
def test_a_pinned_process_uses_its_own_core(words: list[str]) -> None:
    def pin() -> None:
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

    environment = {k: v for k, v in os.environ.items() if k not in ("THREADS", "MAKEFLAGS")}
    told = subprocess.check_output(words, text=True, preexec_fn=pin, cwd=ROOT, env=environment)
    assert told.strip() == "1"


def test_nobody_else_counts_cores() -> None:
    folders = ("agent", "envs", "planners", "benchmarks", "studies")
    counting = {
        str(path.relative_to(ROOT))
        for folder in folders
        for path in (ROOT / folder).rglob("*.py")
        if any(word in path.read_text() for word in ("cpu_count", "sched_getaffinity("))
    }
    assert counting == {"agent/machine/cores.py"}
