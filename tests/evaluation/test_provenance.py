"""The commit is known whoever owns the files, and a command can be pasted into a shell."""

import os
import shlex
import subprocess
from pathlib import Path

import pytest

from agent.commands.demo import Demo
from agent.commands.measurement import Measurement
from agent.commands.parsing import line_of
from agent.commands.worlds_asked import WorldAsked
from agent.evaluation.provenance import code_version


def test_files_of_another_owner_have_a_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    known = code_version()
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    refused = subprocess.run(
        ["git", "-C", str(Path(__file__).parent), "status"],
        env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull}, capture_output=True, check=False,
    )  # fmt: skip
    if known is None or refused.returncode == 0:
        pytest.skip("no repository, or a git that asks for no owner")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    assert code_version() == known


def test_names_with_spaces_are_quoted_and_places_below_here_are_relative(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    job = Measurement("sac", tmp_path / "my run", WorldAsked("two-room"), "anywhere", 3, 0)
    words = shlex.split(job.command("anywhere"))
    assert words[words.index("--checkpoint") + 1] == "my run"
    demo = Demo(Path("my demo"))
    for command in (demo.collecting, demo.training, demo.rival):
        words = shlex.split(line_of(command))
        assert words[words.index("--out") + 1].startswith("my demo/")
