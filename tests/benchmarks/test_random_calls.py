"""Calls at random: drawn the same again, judged by how they end, and a few of them made."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import run_agent
from benchmarks import one_call
from benchmarks.random_words import draw_call, subjects

ROOT = Path(__file__).parents[2]


def test_a_call_follows_from_seed_and_number() -> None:
    drawn = [draw_call(3, number) for number in range(300)]
    assert drawn == [draw_call(3, number) for number in range(300)]
    assert {subject for subject, _ in drawn} == set(subjects())
    assert any(os.fsencode(word) == b"bad\xff" for _, words in drawn for word in words)


@pytest.mark.parametrize(
    ("does", "wrong"),
    [
        ("raise KeyError('bug')", "traceback"),
        ("os.kill(os.getpid(), signal.SIGTERM)", "crash: SIGTERM"),
        ("signal.signal(signal.SIGINT, signal.SIG_IGN); time.sleep(9)", "hang"),
        ("open('other', 'w')", "stray file: other"),
        ("open(os.environ['TMPDIR'] + '/left', 'w')", "stray file: tmp/left"),
        ("open('there', 'w')", ""),
        ("time.sleep(9)", "traceback"),  # a real command answers Ctrl-C with 130
    ],
)
def test_each_way_to_go_wrong_is_told(
    does: str, wrong: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(words: list[str]) -> int:
        exec(does, {"os": os, "signal": signal, "time": __import__("time")})
        return 0

    monkeypatch.setattr(run_agent, "main", fails)
    (tmp_path / "specimens").mkdir()
    place = tmp_path / "call"
    outcome = one_call.make_call("worlds", ["there"], tmp_path / "specimens", place, 0.1)
    assert outcome.wrong == wrong


def test_a_few_calls_end_well(tmp_path: Path) -> None:
    json_path = tmp_path / "calls.json"
    words = ["--calls", "4", "--seed", "7", "--limit-s", "15", "--verbose", "--json", json_path]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.random_calls", *map(str, words)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(json_path.read_text())
    assert found["calls"] == sum(n for ends in found["ends"].values() for n in ends.values()) == 4
    assert str(tmp_path) not in json_path.read_text()
