"""What fails in a user's own file is told by their line, in whichever process it ran."""

from __future__ import annotations

import multiprocessing
import pickle
import threading
from pathlib import Path

import pytest

from agent.cluster.serving import Failed, attempted
from agent.commands.failures import USER, exit_code_of, explain
from agent.commands.measurement import Measurement
from agent.commands.measuring import measure_each
from agent.commands.worlds_asked import WorldAsked
from agent.live.loop import serve
from envs import WorldError, load_user_module

RAISED = {
    "ValueError('bad')": "ValueError('bad')",
    "OSError(1)": "OSError(1)",
    "RuntimeError(threading.Lock())": "RuntimeError",  # cannot be pickled
    "Own('own')": "Own('own')",
    "Odd('a', 'b')": "Odd",  # pickled, and cannot be made again
    "socket.gaierror(-2, 'no name')": "no name",
}
FILE = """import socket
import threading
class Own(Exception): pass
class Odd(Exception):
    def __init__(self, one, two): super().__init__(one)
def fail(error): raise error
"""


@pytest.mark.parametrize(("raised", "said"), RAISED.items())
def test_a_worker_tells_their_line(tmp_path: Path, raised: str, said: str) -> None:
    file = tmp_path / "theirs.py"
    file.write_text(f"{FILE}def step(): fail({raised})\n")
    failed = attempted(load_user_module(file).step)
    assert isinstance(failed, Failed)
    arrived = pickle.loads(pickle.dumps(failed)).error  # as through a pipe
    assert type(arrived).__module__.partition(".")[0] in ("builtins", "envs")
    assert exit_code_of(arrived) == USER
    assert f"{file}, line 6, in fail" in explain(arrived) and said in explain(arrived)


def test_what_is_ours_keeps_its_traceback() -> None:
    failed = attempted(threading.Event().wait, "not a number")
    assert exit_code_of(pickle.loads(pickle.dumps(failed)).error) is None


def test_a_file_that_was_changed_is_run_anew(tmp_path: Path) -> None:
    file = tmp_path / "edited.py"
    file.write_text("VALUE = 1\n")
    first = load_user_module(file)
    assert load_user_module(file) is first
    file.write_text("VALUE = 2\n")
    assert load_user_module(file).VALUE == 2 and first.VALUE == 1


def test_a_file_may_import_what_lies_beside_it(tmp_path: Path) -> None:
    (tmp_path / "their_parts.py").write_text("RATE = 7\n")
    (tmp_path / "theirs_too.py").write_text("from their_parts import RATE\n")
    assert load_user_module(tmp_path / "theirs_too.py").RATE == 7


@pytest.mark.parametrize("part", ["parts_of_mine.py", "parts_of_mine/__init__.py"])
def test_what_lies_beside_one_file_is_not_taken_for_anothers(tmp_path: Path, part: str) -> None:
    """Nor after a file from there was loaded once more."""
    for folder in ("one", "two"):
        place = tmp_path / folder
        (place / part).parent.mkdir(parents=True)
        (place / part).write_text(f"NAME = {folder!r}\n")
        for user in ("a", "b"):
            (place / f"{user}_of_{folder}.py").write_text("from parts_of_mine import NAME\n")
    for folder, user in (("one", "a"), ("two", "a"), ("one", "b"), ("two", "b")):
        assert folder == load_user_module(tmp_path / folder / f"{user}_of_{folder}.py").NAME


WORLD = """import numpy as np
from envs import Column, WorldSpec
class Own(Exception): pass
class Hot:
    def __init__(self):
        state = (Column("x", tolerance=0.1),)
        self.spec = WorldSpec(__file__ + ":Hot", "plain", (16, 16), 1, 0.1, state)
    def reset(self, rng, state=None): pass
    def step(self, action): raise Own("motor hot")
    def frame(self): return np.zeros((16, 16, 3), np.uint8)
    def state(self): return np.zeros(1)
    def close(self): pass
"""


def test_a_measuring_process_tells_their_line(tmp_path: Path) -> None:
    file = tmp_path / "theirs.py"
    file.write_text(WORLD)
    job = Measurement("noop", None, WorldAsked(f"{file}:Hot"), "hindsight", 1, 0)
    with pytest.raises(WorldError, match=r"theirs.py, line 9, in step: .*motor hot"):
        list(measure_each([job], 1))


def test_a_live_session_tells_their_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.cluster.serving.ignore_interrupts", lambda: None)
    file = tmp_path / "theirs.py"
    file.write_text(f"{FILE}def step(*_): fail(Own('own'))\n")
    here, there = multiprocessing.Pipe()
    serve(there, load_user_module(file).step)
    told = here.recv()
    assert isinstance(told, WorldError) and "theirs.py, line 6, in fail" in str(told)
