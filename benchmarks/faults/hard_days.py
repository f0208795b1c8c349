"""Days on which nothing breaks and everything is odd: clocks, disks, company, lost workers.

Each is lived a few times; what happened is said in words, and it is wrong where it must not be.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from benchmarks.faults.forks import Prepare, call, forked
from benchmarks.faults.full_disk import can_mount, mounted
from benchmarks.faults.jobs import COLLECT, Job, inputs_at, jobs
from benchmarks.faults.kills import undisturbed

SYNC_S = 0.05
PATIENCE_S = 60.0
ROOT = Path(__file__).parents[2]
Lived = tuple[str, bool]  # what happened, and whether it is as it should be
Day = Callable[[dict[str, Job], Path], list[Lived]]


def live(name: str, count: int, done: Callable[[int], None]) -> dict[str, Any]:
    """Live the day ``name`` ``count`` times; a row of results."""
    lived: list[Lived] = []
    for number in range(count):
        with tempfile.TemporaryDirectory() as room:
            told = DAYS[name](jobs(inputs_at(Path(room))), Path(room))
            lived += [(text.replace(room, "…"), right) for text, right in told]
        done(number + 1)
    said = Counter(text for text, _ in lived)
    return {
        "day": name, "runs": len(lived),
        "outcome": "; ".join(f"{n} × {text}" for text, n in said.most_common()),
        "wrong": [text for text, right in lived if not right],
    }  # fmt: skip


def _same_as_ever(names: Sequence[str], prepare: Prepare) -> Day:
    """The jobs of those names give what they give on any other day."""

    def day(known: dict[str, Job], room: Path) -> list[Lived]:
        return [_lived(known[name], room / name, prepare) for name in names]

    return day


def _lived(job: Job, place: Path, prepare: Prepare) -> Lived:
    usual = undisturbed(job)
    place.mkdir()
    ended = forked(lambda: job.run(place), [prepare])
    if not ended.finished:
        return f"{job.name}: exit code {ended.code}: {ended.last_line[:120]}", False
    same = dict(job.result(place)) == dict(usual.result)
    return f"{job.name} as ever" if same else f"{job.name}: another result", same


def _jumping_clock() -> None:
    told, chance = time.time, random.Random(0)
    time.time = lambda: told() + chance.uniform(-3e8, 3e8)  # ten years to and fro


def _slow_syncs() -> None:
    synced = os.fsync

    def fsync(descriptor: int) -> None:
        time.sleep(SYNC_S)
        synced(descriptor)

    os.fsync = fsync


def _read_only(known: dict[str, Job], room: Path) -> list[Lived]:
    lived = []
    is_root = os.getuid() == 0  # whom no permission binds, but a disk that is mounted so
    if is_root and not can_mount():
        return [("not tried: no disk could be mounted", True)]
    for name in ("collect", "train", "campaign", "evaluate", "demo"):
        place = room / name
        place.mkdir(mode=0o555)
        with mounted(place, read_only=True) if is_root else nullcontext():
            ended = forked(lambda job=known[name], at=place: job.run(at))  # type: ignore[misc]
            refused = ended.code == 2 and not list(place.iterdir())
        told = f"{name}: exit code {ended.code}: {ended.last_line[:120]}"
        lived.append(("refused, nothing written" if refused else told, refused))
    return lived


def _two_at_once(name: str, both_may: bool) -> Day:
    """Two of the same job in the same place: whole in the end, and who is refused is told."""

    def day(known: dict[str, Job], room: Path) -> list[Lived]:
        job, place = known[name], room / "both"
        place.mkdir()
        usual = undisturbed(job)
        codes = forked(lambda: _both(job, place)).gave
        alone = sorted(codes) == [0, 2]
        right = alone or (both_may and codes == [0, 0])
        if dict(job.result(place)) != dict(usual.result):
            return [(f"exit codes {codes}, another result", False)]
        said = "one done, one refused" if alone else f"exit codes {codes}"
        return [(f"{said}, the result as ever", right)]

    return day


def _both(job: Job, place: Path) -> list[int]:
    pid = os.fork()
    if pid == 0:
        os._exit(call(lambda: job.run(place))[0])
    mine = call(lambda: job.run(place))[0]
    return [mine, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])]


def _lost_worker(answer: signal.Signals) -> Day:
    """One of two real workers is killed, or stopped until somebody presses Ctrl-C."""

    def day(known: dict[str, Job], room: Path) -> list[Lived]:
        usual, place = undisturbed(known["collect"]), room / "lost"
        words = ["run_agent.py", "collect", "--out", str(place / "data"), *COLLECT]
        words += ["--episodes-per-shard", "1", "--workers", "2"]
        with subprocess.Popen(
            [sys.executable, *words], cwd=ROOT, stderr=subprocess.PIPE, text=True,
            stdout=subprocess.DEVNULL,
        ) as running:  # fmt: skip
            worker = _worker_of(running.pid)
            os.kill(worker, answer)
            if answer == signal.SIGSTOP:
                time.sleep(2.0)
                running.send_signal(signal.SIGINT)
            said = running.communicate(timeout=PATIENCE_S)[1].strip().splitlines()[-1:]
        again = forked(lambda: known["collect"].run(place))
        same = again.finished and dict(known["collect"].result(place)) == dict(usual.result)
        told = f"exit code {running.returncode}, {' '.join(said)[:40]}…"
        right = same and running.returncode in (4, 130)
        return [(f"{told}; run again: {'as ever' if same else again.last_line}", right)]

    return day


def _worker_of(pid: int) -> int:
    """The first worker of the process ``pid`` that has begun."""
    end_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < end_s:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for child in children:
            words = Path(f"/proc/{child}/cmdline").read_bytes()
            if b"spawn_main" in words:
                return int(child)
        time.sleep(0.01)
    raise TimeoutError(f"expected process {pid} to start workers, got none")


DAYS: dict[str, Day] = {
    "a clock that jumps": _same_as_ever(("collect", "train", "evaluate"), _jumping_clock),
    "50 ms a sync": _same_as_ever(("collect", "train", "campaign", "evaluate"), _slow_syncs),
    "a folder nobody may write in": _read_only,
    # one that comes when the other has ended finds nothing left to do
    "two collects into one place": _two_at_once("collect", both_may=True),
    "two trainings into one place": _two_at_once("train", both_may=False),
    "two evaluations into one file": _two_at_once("evaluate", both_may=True),
    "a worker killed": _lost_worker(signal.SIGKILL),
    "a worker that hangs, then Ctrl-C": _lost_worker(signal.SIGSTOP),
}
