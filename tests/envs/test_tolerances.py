"""What counts as a goal can be said with a world's name, and stays with what was learned there."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from agent.commands.worlds_asked import world_asked
from agent.config import tiny
from agent.data import RolloutStore
from agent.model.checkpoint import save_checkpoint
from agent.model.world_model import WorldModel
from envs import (
    Column,
    Episode,
    WorldError,
    WorldSpec,
    distance_to_goal,
    make_world,
    task_named,
)
from envs.tolerances import (
    spec_judged_by,
    tolerances_asked,
    with_tolerances,
    without_tolerances,
)
from run_agent import main

SPEC = WorldSpec("gym:Some-v0", "own", (16, 16), 1, 0.1, (Column("a"), Column("b", tolerance=3.0)))
OWN = """
import numpy as np
from envs import Column, WorldSpec

class Fixed:
    def __init__(self):
        self._place = 0.0
    @property
    def spec(self):
        return WorldSpec("fixed", "plain", (16, 16), 1, 0.1, (Column("place"),))
    def reset(self, rng, state=None):
        self._place = 0.0
    def step(self, action):
        self._place += float(action[0])
        return False
    def frame(self):
        return np.zeros((16, 16, 3), np.uint8)
    def state(self):
        return np.array([self._place])
    def close(self):
        pass

class Told(Fixed):
    def __init__(self, look="plain", image_size=16):
        super().__init__()
        self._told = WorldSpec(__file__ + ":Told", look, (16, 16), 1, 0.1, (Column("place"),))
    @property
    def spec(self):
        return self._told
    @spec.setter
    def spec(self, told):
        self._told = told
    def frame(self):
        return np.full((16, 16, 3), int(40 * self._place) % 256, np.uint8)
"""


def test_only_what_is_named_is_judged() -> None:
    judged = spec_judged_by(SPEC, tolerances_asked("gym:Some-v0@a=0.5"))
    assert [column.tolerance for column in judged.state] == [0.5, None]
    assert distance_to_goal(judged, np.array([1.0, 50.0]), np.array([0.0, 0.0])) == 2.0


def test_a_point_is_named_whole() -> None:
    world = make_world("two-room@place=9")
    assert [column.tolerance for column in world.spec.state] == [9.0, 9.0]
    world.close()


def test_names_come_back() -> None:
    judged = spec_judged_by(SPEC, {"a": 0.25, "b": 1e-07})
    named = with_tolerances(judged)
    assert without_tolerances(named) == "gym:Some-v0"
    assert tolerances_asked(named) == {"a": 0.25, "b": 1e-07}
    assert with_tolerances(spec_judged_by(SPEC, {})) == "gym:Some-v0"


@pytest.mark.parametrize("name", ["me@home/file.py:W", "reacher", "a@b", "x/@y=1/file.py:W"])
def test_other_names_ask_for_none(name: str) -> None:
    assert without_tolerances(name) == name
    assert tolerances_asked(name) == {}


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("two-room@z=1", "no number of state called 'z'"),
        ("two-room@place=1,place=2", "each column once"),
        ("two-room@plce=1", "did you mean 'place'"),
        ("two-room@x=near", "expected numbers"),
        ("two-room@x=-1", "tolerance above 0"),
        ("two-room@x=nan", "tolerance above 0"),
        ("two-room@x=5,y=100", "one tolerance of the point 'place'"),
        ("two-rom@x=1", "did you mean 'two-room'"),
    ],
)
def test_what_makes_no_sense_is_refused(name: str, told: str) -> None:
    with pytest.raises(WorldError, match=told):
        make_world(name)


def test_a_spec_that_cannot_be_changed_is_said(tmp_path: Path) -> None:
    (tmp_path / "fixed.py").write_text(OWN)
    with pytest.raises(WorldError, match="does not let its spec be changed"):
        make_world(f"{tmp_path}/fixed.py:Fixed@place=1")


def test_a_demo_that_could_not_be_judged_is_refused_before_it_begins(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["demo", "--world", "gym:InvertedPendulum-v5", "--out", str(tmp_path / "out")]
    assert main(words) == 2
    assert "--world gym:InvertedPendulum-v5@obs_0=0.1" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_checkpoint_remembers_what_counted(tmp_path: Path) -> None:
    world = "gym:InvertedPendulum-v5@obs_0=0.05,obs_1=0.1"
    data, run = str(tmp_path / "data"), str(tmp_path / "run")
    few = ["--steps", "4", "--training.window-frames", "4"]  # it soon falls
    assert main(["collect", "--world", world, "--episodes", "3", "--out", data]) == 0
    assert main(["train", "--data", data, "--out", run, "--preset", "tiny", *few]) == 0
    assert world_asked(None, "", tmp_path / "run" / "checkpoint").name == world
    other = world_asked("gym:InvertedPendulum-v5@obs_1=1", "", tmp_path / "run" / "checkpoint")
    assert other.name == "gym:InvertedPendulum-v5@obs_1=1"


@pytest.mark.parametrize(
    ("name", "held"), [("reacher", False), ("reacher@shoulder=1.5,wrist=1.5", True)]
)
def test_reachers_own_tasks_are_judged_by_what_is_asked(name: str, held: bool) -> None:
    with closing(make_world(name)) as world:
        task = task_named("anywhere", world)
        start = np.zeros(4)
        episode = Episode(0, np.array([1.0, 1.0, 0.0, 0.0]), start)
        verdict = task.judge(world.spec, np.zeros((20, 2, 4)), start, episode)
        assert verdict.held is held


def test_a_checkpoint_keeps_its_look_where_tolerances_are_asked_for(tmp_path: Path) -> None:
    data, run = str(tmp_path / "data"), str(tmp_path / "run")
    words = ["--world", "reacher", "--look", "dmc", "--episodes", "2", "--episode-steps", "30"]
    assert main(["collect", *words, "--out", data]) == 0
    few = ["--steps", "2", "--head.steps", "1", "--threads", "1"]
    assert main(["train", "--data", data, "--out", run, "--preset", "tiny", *few]) == 0
    asked = world_asked("reacher@wrist=0.1", "", Path(run) / "checkpoint")
    assert (asked.name, asked.look) == ("reacher@wrist=0.1", "dmc")


@pytest.mark.parametrize(("protocol", "held"), [("lewm", False), ("swift", True)])
def test_other_tolerances_leave_the_rest_of_a_rule_as_it_is(protocol: str, held: bool) -> None:
    with closing(make_world("reacher@wrist=0.06")) as world:
        task = task_named(protocol, world)
        assert "wrist within 0.06" in task.about and "shoulder" not in task.about
        episode = Episode(0, np.array([0.0, 0.5 - 2 * np.pi, 0.0, 0.0]), np.zeros(4))
        path = np.broadcast_to([3.0, 0.555, 0.0, 0.0], (20, 2, 4))
        assert task.judge(world.spec, path, np.zeros(4), episode).held is held


def test_a_file_is_the_same_world_however_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("own.py").write_text(OWN)
    words = ["--world", "own.py:Told@place=0.1", "--episodes", "2", "--episode-steps", "30"]
    assert main(["collect", *words, "--look", "night", "--out", "data"]) == 0
    spec = RolloutStore.open("data").header.spec
    save_checkpoint(tmp_path / "model", WorldModel(tiny().model, spec).eval(), {})
    for name in ("own.py:Told", "./own.py:Told", f"{tmp_path / 'own.py'}:Told"):
        asked = world_asked(name, "", tmp_path / "model")
        assert asked.name == f"{name}@place=0.1" and asked.look == "night"
    more = ["--world", f"{tmp_path / 'own.py'}:Told@place=0.1", "--episodes", "3"]
    assert main(["collect", *more, *words[4:], "--look", "night", "--out", "data"]) == 0
    Path("own.py").write_text(OWN.replace("self._place += float(action[0])", "self._place += 1"))
    assert main(["collect", *words[:2], "--episodes", "4", *words[4:], "--look", "night",
                 "--out", "data"]) == 2  # fmt: skip


def test_what_a_world_says_itself_need_not_be_settable(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(OWN.replace('Column("place")', 'Column("place", tolerance=1)'))
    name = f"{tmp_path / 'own.py'}:Fixed"
    with closing(make_world(f"{name}@place=1")) as world:
        assert world.spec.state[0].tolerance == 1
    with pytest.raises(WorldError, match="does not let its spec be changed"):
        make_world(f"{name}@place=2")
