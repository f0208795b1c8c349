"""Real workers: same bytes whatever their number, and however often they are interrupted."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from small_rollouts import BOX, SETTINGS

from agent.cluster.processes import Processes
from agent.commands.calling import endings_as_interrupts
from agent.data import CollectConfig, collect
from agent.data.worker import ShardTask
from agent.errors import MachineError
from envs import ProfileError

COLLECT_AND_DIE = f"""
import multiprocessing, os, signal, sys
from pathlib import Path
from agent.data import CollectConfig, collect

def die(done, total):
    if done:
        print(*(child.pid for child in multiprocessing.active_children()), flush=True)
        os.kill(os.getpid(), signal.SIGKILL)

if __name__ == "__main__":
    collect(CollectConfig(Path(sys.argv[1]), workers=2, **{SETTINGS}), die)
"""


def test_two_workers_write_the_same_bytes_as_one(real_store, tmp_path, files_of):
    collect(CollectConfig(tmp_path / "two", workers=2, **SETTINGS))
    assert files_of(tmp_path / "two") == files_of(real_store.directory)


def test_killed_and_resumed_equals_uninterrupted(real_store, tmp_path, files_of):
    out, script = tmp_path / "killed", tmp_path / "script.py"
    script.write_text(COLLECT_AND_DIE)
    root = str(Path(__file__).parents[2])
    child = subprocess.run(
        [sys.executable, str(script), str(out)],
        env={**os.environ, "PYTHONPATH": root},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert child.returncode == -signal.SIGKILL, child.stderr
    assert len((out / "manifest.jsonl").read_bytes().splitlines()) == 1
    collect(CollectConfig(out, workers=1, **SETTINGS))
    assert files_of(out) == files_of(real_store.directory)
    workers = [int(pid) for pid in child.stdout.split()]
    assert len(workers) == 2
    _wait_until_gone(workers)


def _wait_until_gone(pids: list[int], patience_s: float = 20.0) -> None:
    deadline = time.monotonic() + patience_s
    while any(_runs(pid) for pid in pids):
        assert time.monotonic() < deadline, "workers outlived the process that started them"
        time.sleep(0.05)


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_interrupt_keeps_what_is_committed_and_leaves_no_process(
    real_store, tmp_path, files_of, number
):
    def interrupt(done: int, total: int) -> None:
        if done:
            for worker in multiprocessing.active_children():  # it reaches the whole group
                os.kill(worker.pid, number)
            signal.raise_signal(number)

    out = tmp_path / "interrupted"
    with pytest.raises(KeyboardInterrupt), endings_as_interrupts():
        collect(CollectConfig(out, workers=2, **SETTINGS), interrupt)
    assert multiprocessing.active_children() == []
    kept = files_of(out)["manifest.jsonl"]
    assert len(kept.splitlines()) == 1
    assert files_of(real_store.directory)["manifest.jsonl"].startswith(kept)


def test_what_a_worker_raises_reaches_the_caller(tmp_path):
    with pytest.raises(ProfileError, match="image size"):
        collect(CollectConfig(tmp_path, episodes=1, workers=1, image_size=1))


def test_a_dead_worker_is_the_machines_fault():
    work = CollectConfig(Path("unused"), **BOX)
    with Processes(work, 1) as crew, pytest.raises(MachineError, match=r"exit code -9.*__main__"):
        multiprocessing.active_children()[0].kill()
        list(crew.make([ShardTask(0, 0, 1)]))


class _Telling:
    """A work whose result is what the environment asked of libraries before they were loaded."""

    def begin(self):
        return os.environ.get


def test_a_worker_is_one_thread_to_every_library(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    names = ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "LP_NUM_THREADS"]
    with Processes(_Telling(), 1) as crew:
        assert [found for _, found in crew.make(names)] == ["1", "1", "1", "0"]
    assert os.environ["OMP_NUM_THREADS"] == "7"
