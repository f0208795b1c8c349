"""A job in a fork of this process: what takes seconds to import is imported once.

A fork dies as any process does, so it may be killed, run out of memory or crash; what it said, how
it ended and what it gave comes back.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from agent.commands.failures import exit_code_of, explain

Job = Callable[[], Any]
Prepare = Callable[[], None]
BUG = 70  # the exit code of an exception that is none of ours
SAID_CHARACTERS = 4000
_POLL_S = 0.002


@dataclass(frozen=True)
class Ended:
    """How a job ended: by exit ``code``, or by ``signal`` where that is not 0.

    ``gave`` is what it returned (JSON values), ``said`` the end of what it printed, ``seconds`` of
    wall clock.
    """

    code: int
    signal: int
    said: str
    gave: Any
    seconds: float
    timed_out: bool = False

    @property
    def finished(self) -> bool:
        """Whether it did all it was asked."""
        return not self.signal and self.code == 0 and not self.timed_out

    @property
    def last_line(self) -> str:
        """The last thing it said."""
        lines = [line for line in self.said.splitlines() if line.strip()]
        return lines[-1].strip() if lines else ""


def forked(
    job: Job,
    prepare: Sequence[Prepare] = (),
    kill_after_s: float | None = None,
    patience_s: float = 120.0,
) -> Ended:
    """Run ``job`` in a fork, after what is to ``prepare`` there; all it started ends with it.

    An integer it returns is its exit code; an exception of ours is printed and gives its code.
    """
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as gave:
        begun_s = time.monotonic()
        pid = os.fork()
        if pid == 0:
            _be_the_fork(job, prepare, said, gave)
        status, timed_out = _wait(pid, kill_after_s, begun_s + patience_s)
        seconds = time.monotonic() - begun_s
        _end_group(pid)
        killed_by = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        return Ended(
            -1 if killed_by else os.waitstatus_to_exitcode(status),
            killed_by,
            _read(said).decode(errors="replace")[-SAID_CHARACTERS:],
            None if killed_by else json.loads(_read(gave) or b"null"),
            seconds,
            timed_out,
        )


def call(job: Job) -> tuple[int, Any]:
    """The exit code of ``job`` and what it returned; errors are printed as the program does."""
    try:
        value = job()
    except SystemExit as leaving:
        return (leaving.code if isinstance(leaving.code, int) else 1), None
    except BaseException as error:
        code = exit_code_of(error)
        if code is None:
            traceback.print_exc()
            return BUG, None
        print(f"error: {type(error).__name__}: {explain(error)}", flush=True)
        return code, None
    return (value, None) if type(value) is int else (0, value)


def limit_memory(more_mb: int, least_gb: float = 0.0) -> Prepare:
    """The fork may take ``more_mb`` MB beyond its birth, ``least_gb`` GB in any case."""

    def prepare() -> None:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        born = pages * resource.getpagesize()
        most = max(born + more_mb * 10**6, int(least_gb * 1e9))
        resource.setrlimit(resource.RLIMIT_AS, (most, most))

    return prepare


def _be_the_fork(job: Job, prepare: Sequence[Prepare], said: IO[bytes], gave: IO[bytes]) -> None:
    try:
        os.setsid()
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        for stream in (1, 2):
            os.dup2(said.fileno(), stream)
        sys.stdout = sys.stderr = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        for one in prepare:
            one()
        code, value = call(job)
        gave.write(json.dumps(value).encode())
        gave.flush()
    except BaseException:
        code = BUG
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _wait(pid: int, kill_after_s: float | None, end_s: float) -> tuple[int, bool]:
    kill_s = None if kill_after_s is None else time.monotonic() + kill_after_s
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return status, False
        now_s = time.monotonic()
        if now_s > end_s or (kill_s is not None and now_s > kill_s):
            os.kill(pid, signal.SIGKILL)
            return os.waitpid(pid, 0)[1], now_s > end_s
        time.sleep(_POLL_S)


def _end_group(pid: int) -> None:
    """A fork leads a group of its own: whatever it left behind is in it."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _read(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read()
