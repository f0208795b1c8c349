"""What goes wrong ends in the exit code of its kind; only bugs of ours show a traceback."""

import errno
import fcntl
import os
import pty
import signal
import subprocess
import sys
import termios
import time
import typing
from collections.abc import Callable
from multiprocessing.context import SpawnProcess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import run_agent
from agent.commands import measuring
from agent.commands.doctor import Doctor
from agent.commands.failures import exit_code_of
from agent.commands.progress import duration, follow
from agent.errors import DamagedDataError, MachineError, ModelFaultError, UserError
from envs import GLError, GoalImageError, PoseError, ProfileError, SpecError, WorldError

ROOT = Path(__file__).parents[1]
Output = pytest.CaptureFixture[str]


def out_of_memory() -> RuntimeError:
    import torch

    with pytest.raises(RuntimeError) as failure:
        torch.empty(2**60, dtype=torch.uint8)
    return failure.value


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: UserError("u"), 2),
        (lambda: ProfileError("p"), 2),
        (lambda: SpecError("s"), 2),
        (lambda: WorldError("w"), 2),
        (lambda: GoalImageError("g"), 2),
        (lambda: PoseError("p"), 2),
        (lambda: PermissionError(errno.EACCES, "denied", "x"), 2),
        (lambda: OSError(errno.ENAMETOOLONG, "too long", "x"), 2),
        (lambda: DamagedDataError("d"), 3),
        (lambda: ModelFaultError("f"), 3),
        (lambda: MachineError("m"), 4),
        (lambda: GLError("g"), 4),
        (lambda: MemoryError(), 4),
        (lambda: OSError(errno.ENOSPC, "full", "x"), 4),
        (out_of_memory, 4),
        (lambda: RuntimeError("can't start new thread"), 4),
        (lambda: ImportError("x.so: failed to map segment from shared object"), 4),
        (lambda: KeyboardInterrupt(), 130),
    ],
)
def test_each_failure_has_its_exit_code(
    make: Callable[[], BaseException], code: int, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Doctor) -> None:
        raise make()

    monkeypatch.setattr(Doctor, "run", fail)
    assert run_agent.main(["doctor"]) == code
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert len(said.strip()) > len("error: ")


def test_what_was_half_made_when_interrupted_ends_unheard(monkeypatch: pytest.MonkeyPatch) -> None:
    class HalfMade:
        def __init__(self) -> None:
            raise KeyboardInterrupt

        def __del__(self) -> None:
            raise AttributeError("it has no pointer yet")

    heard: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", heard.append)
    monkeypatch.setattr(Doctor, "run", lambda self: HalfMade())
    assert run_agent.main(["doctor"]) == 130
    assert heard == []


def test_workers_never_see_ctrl_c_not_even_while_they_import(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = []

    class StartedError(Exception):
        pass

    def start(worker: SpawnProcess) -> None:
        answers.append(signal.getsignal(signal.SIGINT))  # what a child inherits
        raise StartedError

    monkeypatch.setattr(SpawnProcess, "start", start)
    job: Any = SimpleNamespace(episodes=1)
    with pytest.raises(StartedError):
        list(measuring.measure_each([job], 1))
    assert answers == [signal.SIG_IGN] != [signal.getsignal(signal.SIGINT)]


@pytest.mark.parametrize("bug", [ValueError("v"), KeyError("k"), OSError(errno.EBADF, "b")])
def test_a_bug_of_ours_keeps_its_traceback(bug: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: Doctor) -> None:
        raise bug

    monkeypatch.setattr(Doctor, "run", fail)
    assert exit_code_of(bug) is None
    with pytest.raises(type(bug)):
        run_agent.main(["doctor"])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("answer", [signal.default_int_handler, signal.SIG_IGN], ids=str)
def test_a_request_to_end_is_answered_as_ctrl_c(
    monkeypatch: pytest.MonkeyPatch, answer: typing.Any, number: signal.Signals
) -> None:
    before = signal.getsignal(number)
    monkeypatch.setattr(Doctor, "run", lambda self: signal.raise_signal(number))
    signal.signal(signal.SIGINT, answer)
    try:
        assert run_agent.main(["doctor"]) == 130
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    assert signal.getsignal(number) is before


def test_nohup_stays_in_force(monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    monkeypatch.setattr(Doctor, "run", lambda self: signal.raise_signal(signal.SIGHUP))
    try:
        assert run_agent.main(["doctor"]) == 0
    finally:
        signal.signal(signal.SIGHUP, before)


LOST = """
import sys, time
from pathlib import Path
from agent.commands.calling import endings_as_interrupts
with endings_as_interrupts():
    try:
        print("begun", flush=True)
        time.sleep(60)
    except KeyboardInterrupt:
        time.sleep(0.3)  # as long as a save may take; a second hang-up comes meanwhile
        print("interrupted", flush=True)
        Path(sys.argv[1]).write_text("saved")
"""


def test_a_lost_terminal_ends_with_everything_saved(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-c", LOST, tmp_path / "result"],
        stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )  # fmt: skip
    os.close(theirs)
    assert b"begun" in os.read(ours, 100)
    os.close(ours)  # the system sends SIGHUP, and what is written to the terminal fails
    time.sleep(0.1)
    child.send_signal(signal.SIGHUP)
    assert child.wait(20) == 0
    assert (tmp_path / "result").read_text() == "saved"


ENDS_LATE = """
import atexit, os, signal, sys
atexit.register(lambda: os.kill(os.getpid(), signal.SIGINT))
sys.argv = ["run_agent.py", "worlds", "--help"]
import run_agent
sys.exit(run_agent.main())
"""


def test_ctrl_c_after_all_was_said_adds_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ENDS_LATE], capture_output=True, text=True, check=False
    )
    assert done.returncode == -signal.SIGINT and not done.stderr
    assert "usage" in done.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="ulimit -v")
def test_a_limit_the_libraries_break_at_is_refused_first() -> None:
    program = "ulimit -v 1000000; exec $0 run_agent.py control --seconds 0.04"
    done = subprocess.run(
        ["bash", "-c", program, sys.executable],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    assert done.returncode == 4
    assert done.stderr.startswith("error: expected room for 3 GB") and done.stderr.count("\n") == 1


def test_debugging_shows_the_traceback_of_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEJEPA_DEBUG", "1")
    with pytest.raises(UserError):
        run_agent.main(["dataset", "verify", "no-such-data"])


def test_a_job_that_is_stopped_closes_its_reports() -> None:
    closed = []

    def reports() -> typing.Iterator[int]:
        try:
            yield from range(5)
        finally:
            closed.append(True)

    def describe(report: int) -> tuple[int, int, str]:
        if report == 2:
            raise KeyboardInterrupt
        return report, 5, ""

    with pytest.raises(KeyboardInterrupt):
        follow("job", reports(), describe)
    assert closed


def test_durations_read_as_people_say_them() -> None:
    assert [duration(s) for s in (7.6, 65, 3780)] == ["8 s", "1 min 05 s", "1 h 03 min"]


def test_a_world_that_was_named_and_does_not_open_is_a_mistake(capsys: Output) -> None:
    """Listed all the same, beside one that does."""
    assert run_agent.main(["worlds", "two-room", "nope"]) == 2
    told = capsys.readouterr()
    assert "a dot in two rooms" in told.out and "nope" in told.out
    assert told.err.startswith("error: unknown world 'nope'")
