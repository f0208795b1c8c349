"""Measuring by processes: news of each job, refusals, workers that end with who started them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agent.commands import measuring
from agent.commands.measuring import measure_each
from agent.commands.progress import Update
from agent.errors import MachineError, UserError

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Made:
    """A job that tells of each of its episodes, and then does what it is made for."""

    episodes: int
    then: str = "end"

    def run(self, update: Update) -> dict[str, Any]:
        for played in range(1, self.episodes + 1):
            update(played, self.episodes)
            update(played, self.episodes)
            if self.then == "refuse":
                raise UserError("it will not")
        if self.then == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        for tick in range(1000 if self.then == "go on" else 0):
            time.sleep(0.05)
            update(tick, self.episodes)
        return {"worker": os.getpid(), "ignores": signal.getsignal(signal.SIGINT) is signal.SIG_IGN}


def test_every_episode_is_told_once_and_a_refusal_costs_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[tuple[int, int]] = []

    @contextmanager
    def noted(job: str) -> Iterator[Any]:
        yield lambda done, total, text="": told.append((done, total))

    monkeypatch.setattr(measuring, "progress", noted)
    found: dict[int, Any] = dict(measure_each([Made(3), Made(2, "refuse"), Made(1)], 1))
    assert isinstance(found[1], UserError) and found[0]["worker"] != os.getpid()
    assert found[0]["ignores"] and found[2]["ignores"]  # Ctrl-C is answered by who started them
    assert sorted({done for done, _ in told}) == [0, 1, 2, 3, 4, 5]
    assert told[0] == (0, 6) and told[-1] == (5, 5), "what it would not play is asked for no more"
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_a_lost_worker_ends_all_and_says_what_to_do() -> None:
    with pytest.raises(MachineError, match=r"fewer --workers.*__main__"):
        list(measure_each([Made(1, "die"), Made(1)], 1))


def test_workers_end_with_a_process_that_is_killed() -> None:
    script = (
        "import os, sys, test_measuring as t\n"
        "if __name__ == '__main__':\n"
        "    jobs = [t.Made(1), t.Made(1, 'go on'), t.Made(1, 'go on')]\n"
        "    for _, found in t.measure_each(jobs, 2):\n"
        "        print(found['worker'], flush=True)\n"
        "        os.kill(os.getpid(), 9)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (HERE, HERE.parents[1])))}
    words = [sys.executable, "-c", script]
    quiet = subprocess.DEVNULL  # which the workers share
    with subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=quiet) as started:
        assert started.stdout is not None
        worker = int(started.stdout.readline())
        assert started.wait() == -signal.SIGKILL
        end_s = time.monotonic() + 10  # a fifth of what its job takes
        while _is_there(worker) and time.monotonic() < end_s:
            time.sleep(0.05)
        assert not _is_there(worker)


def _is_there(process_id: int) -> bool:
    try:
        state = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
