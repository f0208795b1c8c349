"""``python -m agent.export``: an exported controller in its world."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest

from agent.export import __main__ as program
from agent.export.program import play
from envs import Column, WorldSpec

ROOT = Path(__file__).parents[2]


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr("sys.argv", ["export", *words])
    return program.main()


def test_it_steers_the_simulated_world(
    exported: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(monkeypatch, str(exported), "--seconds", "0.2", "--episodes", "2") == 0
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 3 and all("rad from it" in line for line in said[:2])
    assert said[0].startswith("goal 0: ") and said[1].startswith("goal 1: ")
    assert said[2].startswith("a tick: ")


class Resting:
    """A world at rest 0.3 rad and 0.2 m from its one goal: 3 and 4 tolerances."""

    spec = WorldSpec(
        "resting", "plain", (4, 4), 1, 0.1,
        (Column("angle", "rad", tolerance=0.1), Column("x", "m", tolerance=0.05)),
    )  # fmt: skip

    def reset(self, rng, state=None):
        pass

    def frame(self):
        return np.zeros((4, 4, 3), np.uint8)

    def picture(self, state):
        return self.frame()

    def state(self):
        return np.zeros(2)

    def sample_state(self, rng):
        return np.array([0.3, 0.2])

    def step(self, action):
        return False

    def close(self):
        pass


def test_a_goal_of_several_units_is_told_in_tolerances(capsys: pytest.CaptureFixture[str]) -> None:
    assert play(Mock(), Resting(), seed=0, ticks=0) == []
    assert capsys.readouterr().out == "goal 0: missed, ended 4 tolerances from it\n"


def test_what_is_not_there_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, str(tmp_path / "none")) == 2
    assert capsys.readouterr().err.startswith("error: ")


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("--seconds", "-1"), ("--seconds", "0"), ("--seconds", "nan"), ("--seconds", "inf"),
        ("--episodes", "0"), ("--goal-seed", "-1"), ("--goal-seed", str(2**64)),
        ("--threads", "0"), ("--threads", "1000"),
    ],
)  # fmt: skip
def test_numbers_that_make_no_sense_are_refused_in_one_line(
    exported: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    flag: str,
    value: str,
) -> None:
    assert run(monkeypatch, str(exported), flag, value) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.count("\n") == 1
    assert printed.err.startswith(f"error: expected {flag}")


@pytest.mark.parametrize("place", ["", ".", "empty"])
def test_a_folder_that_holds_no_controller_is_no_damage(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    assert run(monkeypatch, place) == 2
    assert "that `export` wrote" in capsys.readouterr().err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is always full")
def test_figures_that_cannot_be_shown_are_an_error(exported: Path) -> None:
    words = [sys.executable, "-m", "agent.export", str(exported), "--seconds", "0.1"]
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            words, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert ended.returncode == 4 and "could not be shown" in ended.stderr


@pytest.mark.parametrize("module", ["agent.export.onnx_model", "numpy"])
def test_ctrl_c_is_a_line_whenever_it_comes(module: str, tmp_path: Path) -> None:
    program = (
        "import sys\nclass CtrlC:\n    def find_spec(self, name, *_):\n"
        f"        if name == {module!r}: raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, CtrlC())\n"
        "from agent.export.__main__ import main\nsys.exit(main())"
    )
    words = [sys.executable, "-c", program, str(tmp_path)]
    ended = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (130, "interrupted; nothing was written\n")


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"MUJOCO_GL": "off"}, "which turns rendering off"),
        ({"MUJOCO_GL": "nonsense"}, "'nonsense'"),
        ({"MUJOCO_GL": "egl", "MUJOCO_EGL_DEVICE_ID": "0,1"}, "MUJOCO_EGL_DEVICE_ID=0,1"),
    ],
    ids=str,
)
def test_no_opengl_is_one_line(exported: Path, variables: dict[str, str], said: str) -> None:
    words = [sys.executable, "-m", "agent.export", str(exported)]
    ended = subprocess.run(
        words, cwd=ROOT, env={**os.environ, **variables},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 4 and said in ended.stderr
    assert ended.stderr.startswith("error: ") and ended.stderr.count("\n") == 1


def test_the_program_ends_with_its_exit_code(exported: Path) -> None:
    words = [sys.executable, "-m", "agent.export", str(exported), "--threads", "1000"]
    ended = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 2 and ended.stdout == ""
    assert ended.stderr.startswith("error: expected --threads") and ended.stderr.count("\n") == 1
