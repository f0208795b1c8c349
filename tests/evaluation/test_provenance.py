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
from agent.evaluation import provenance
from agent.evaluation.provenance import code_version, origin_of


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


def test_what_measuring_writes_is_no_other_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, figures = tmp_path / "code.py", tmp_path / "runs.csv"
    monkeypatch.setattr(provenance, "__file__", str(code))
    for place in (code, figures):
        place.write_text("one\n")
    author = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    for words in (("init", "-q"), ("add", "."), (*author, "commit", "-qm", "first")):
        subprocess.run(["git", "-C", str(tmp_path), *words], check=True)
    commit = code_version()
    figures.write_text("two\n")
    assert commit is not None and code_version() == commit
    code.write_text("two\n")
    assert code_version() == commit + "-dirty"


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


def test_steps_are_those_that_were_played() -> None:
    facts = {"data": {"episodes": 300, "episode_steps": 200}}
    assert origin_of(facts)["bought_with"]["env_steps"] == 60_000
    facts["data"]["env_steps"] = 6_000  # as where episodes end sooner
    assert origin_of(facts)["bought_with"]["env_steps"] == 6_000


def test_what_went_in_before_and_the_heads_teaching_are_counted() -> None:
    facts = {
        "data": {"env_steps": 100, "episodes": 2, "episode_steps": 50}, "training_s": 4.0,
        "before": {"env_steps": 30, "training_s": 2.0}, "head": {"seconds": 1.5},
    }  # fmt: skip
    plain, head = (origin_of(facts, with_head)["bought_with"] for with_head in (False, True))
    assert (plain["env_steps"], plain["training_s"]) == (130, 6.0)
    assert (head["env_steps"], head["training_s"]) == (130, 7.5)
