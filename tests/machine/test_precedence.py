"""A process that keeps time goes before those beside it, as far as the system lets it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent.machine import precedence

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(not hasattr(os, "setsid"), reason="there are no sessions of processes here")
def test_it_has_a_share_of_the_cores_of_its_own() -> None:
    code = (
        "import os; from agent.machine.precedence import take_precedence; take_precedence();"
        "assert os.getsid(0) == os.getpid(); take_precedence()"  # which once more is no mistake
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_what_is_not_granted_is_done_without(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError("not for you")

    monkeypatch.setattr(precedence.os, "setsid", refused, raising=False)
    monkeypatch.setattr(precedence.os, "nice", refused, raising=False)
    precedence.take_precedence()
