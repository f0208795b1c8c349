"""Of the comparison's trainings, the finished ones are kept, for others to measure again."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path

import pytest

from agent.commands.matrix import COMPARED
from agent.model.bundle import write_bundle

SCRIPT = str(Path(__file__).parents[1] / "benchmarks" / "keep_checkpoints.py")


def make_run(name: str, env_steps: int) -> None:
    place = Path("runs/comparison") / name / "checkpoint"
    config = {"schema": "somebody/9", "facts": {"env_steps": env_steps}}
    write_bundle(place, {"config.json": json.dumps(config).encode()})


def test_what_is_finished_and_light_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [SCRIPT])
    make_run("sac-0", 299_000)  # on the way
    make_run("sac-1", 300_000)
    make_run("lewm-1", 80_000)  # 60 MB
    make_run("world-model-0", 80_000)  # the program comes with its own
    old = COMPARED / "sac-1" / "old"
    old.parent.mkdir(parents=True)
    old.touch()
    runpy.run_path(SCRIPT, run_name="__main__")
    assert [place.name for place in COMPARED.iterdir()] == ["sac-1"]
    assert capsys.readouterr().out == f"wrote {COMPARED / 'sac-1'}\n"
    kept, made = COMPARED / "sac-1", Path("runs/comparison/sac-1/checkpoint")
    names = {path.name for path in made.iterdir()}
    assert {path.name for path in kept.iterdir()} == names
    assert all((kept / name).read_bytes() == (made / name).read_bytes() for name in names)
