"""One command line in a process of its own, in a folder of its own, with a watchdog."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import run_agent
from studies.__main__ import main as studies_main

EXPECTED = (0, 2, 3, 4, 130)
MEMORY_BYTES = 4 * 10**9  # more than the process has, so that a greedy call cannot take it all
POLL_S, GRACE_S = 0.01, 5.0
PAUSE_S = 1.0  # a longer time between two looks is one in which everything was stopped
DEFAULTS = ("diagnosis.html", "preview.png", "runs")  # where a call writes that names no place


@dataclass(frozen=True)
class Outcome:
    """How a call ended: ``code`` (negative: a signal), what it said, and what was wrong, if any."""

    code: int
    said: str
    seconds: float
    wrong: str


def make_call(
    subject: str, words: Sequence[str], specimens: Path, place: Path, limit_s: float
) -> Outcome:
    """Run it in a copy of ``specimens`` at ``place``; after ``limit_s`` it gets Ctrl-C."""
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(specimens, place / "here", symlinks=True)
    (place / "tmp").mkdir()
    before, began_s = _listing(place / "here"), time.monotonic()
    child = os.fork()
    if child == 0:
        _be_the_call(subject, words, place)
    code = _waited(child, limit_s)
    spent_s, left = time.monotonic() - began_s, _end_group(child)
    said = (place / "said").read_text(encoding="utf-8", errors="backslashreplace")
    strays = _strays(place, before, words)
    return Outcome(code, said, spent_s, _verdict(code, said, strays, left))


def _verdict(code: int, said: str, strays: Sequence[str], left: bool) -> str:
    if code == -signal.SIGKILL:
        return "hang"
    if code < 0:
        return f"crash: {signal.Signals(-code).name}"
    if "Traceback (most recent call last)" in said or code not in EXPECTED:
        return "traceback"
    if code and not said.strip():
        return "silent"
    if strays:
        return f"stray file: {strays[0]}"
    return "process left" if left else ""


def _be_the_call(subject: str, words: Sequence[str], place: Path) -> None:
    os.setsid()
    os.chdir(place / "here")
    os.environ.update(HOME=str(place), XDG_CACHE_HOME=str(place / "cache"), COLUMNS="100")
    os.environ["TMPDIR"] = str(place / "tmp")
    log = os.open(place / "said", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(log, stream)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.modules["__main__"] = run_agent  # what a worker that is spawned imports
    resource.setrlimit(resource.RLIMIT_AS, (_addresses() + MEMORY_BYTES,) * 2)
    code = 1
    try:
        code = (
            studies_main(words)
            if subject == "studies"
            else run_agent.main([*subject.split(), *words])
        )
    except BaseException:
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code)


def _addresses() -> int:
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmSize:"):
            return int(line.split()[1]) * 1024
    return 0


def _waited(child: int, limit_s: float) -> int:
    """Its exit code; Ctrl-C after ``limit_s`` and the end after thrice that, pauses left out."""
    spent_s, asked, looked_s = 0.0, False, time.monotonic()
    while True:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
        now_s = time.monotonic()
        spent_s, looked_s = spent_s + min(now_s - looked_s, PAUSE_S), now_s
        if spent_s > limit_s and not asked:
            os.killpg(child, signal.SIGINT)
            asked = True
        if spent_s > 3 * limit_s:
            os.killpg(child, signal.SIGKILL)
        time.sleep(POLL_S)


def _end_group(child: int) -> bool:
    """Whether it left processes behind; they are ended. What ends by itself has time for it."""
    for _ in range(round(GRACE_S / POLL_S)):
        try:
            os.killpg(child, 0)
        except ProcessLookupError:
            return False
        time.sleep(POLL_S)
    os.killpg(child, signal.SIGKILL)
    return True


def _belongs(path: Path, root: Path) -> bool:
    """Whether it is ``root``, below it, or a file beside it that carries its name."""
    beside = path.parent == root.parent and bool(root.name) and root.name in path.name
    return beside or path.is_relative_to(root)


def _listing(place: Path) -> dict[str, tuple[int, int]]:
    found = {}
    for folder, _, names in os.walk(place):
        for name in names:
            path = Path(folder, name)
            status = path.lstat()
            found[str(path.relative_to(place))] = (status.st_size, status.st_mtime_ns)
    return found


def _strays(place: Path, before: dict[str, tuple[int, int]], words: Sequence[str]) -> list[str]:
    """Files that were made, changed or removed, and that no word named; leftovers in the sum."""
    here, after = place / "here", _listing(place / "here")
    named = [here / (word.partition("=")[2] if word.startswith("--") else word) for word in words]
    named = [Path(os.path.normpath(path)) for path in (*named, *(here / d for d in DEFAULTS))]
    touched = sorted(path for path in {*before, *after} if before.get(path) != after.get(path))
    strays = [path for path in touched if not any(_belongs(here / path, root) for root in named)]
    return strays + sorted(f"tmp/{path.name}" for path in (place / "tmp").iterdir())
