"""What fails in a user's own file is told by their line, in whichever process it ran."""

from __future__ import annotations

import pickle
import threading
from pathlib import Path

import pytest

from agent.cluster.serving import Failed, attempted
from agent.commands.failures import USER, exit_code_of, explain
from envs import load_user_module

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


def test_a_file_may_import_what_lies_beside_it(tmp_path: Path) -> None:
    (tmp_path / "their_parts.py").write_text("RATE = 7\n")
    (tmp_path / "theirs_too.py").write_text("from their_parts import RATE\n")
    assert load_user_module(tmp_path / "theirs_too.py").RATE == 7
