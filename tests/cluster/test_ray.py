"""One Ray cluster on this machine for all tests here: the files of local processes, to the byte."""

from __future__ import annotations

import errno
import platform
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("ray")

from bad_nodes import Fatal, Lacking

from agent.cluster import crew_for
from agent.cluster.ray_session import LOCAL, ray_session
from agent.commands.measurement import Measurement
from agent.commands.measuring import measure_each
from agent.commands.worlds_asked import WorldAsked
from agent.data import CollectConfig, collect
from agent.errors import MachineError, UserError
from agent.sweep.plan import Plan, Sweeper
from agent.sweep.space import Choices, Range
from agent.sweep.trial import train
from envs import GLError, ProfileError

WORLD = Path(__file__).parents[1] / "data" / "box_world.py"
FAST = {"training.steps": Choices((2,)), "head.steps": Choices((1,)), "training.diagnose_every":
        Choices((1,))}  # fmt: skip
BOX = {"world": f"{WORLD}:EndlessBox", "image_size": 16, "episodes": 6, "episode_steps": 20,
       "episodes_per_shard": 2, "seed": 3}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def ray() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parent))  # for workers to find ``bad_nodes``
        with ray_session(LOCAL, 2) as ray:
            yield ray


def files_of(directory: Path) -> dict[str, bytes]:
    files = (path for path in directory.rglob("*") if path.is_file() and path.name != ".lock")
    return {str(path.relative_to(directory)): path.read_bytes() for path in files}


def test_a_data_set_is_that_of_local_processes_to_the_byte(tmp_path):
    collect(CollectConfig(tmp_path / "here", workers=1, **BOX))
    collect(CollectConfig(tmp_path / "ray", cluster=LOCAL, **BOX))
    assert files_of(tmp_path / "ray") == files_of(tmp_path / "here")
    assert len(files_of(tmp_path / "ray")) == 5


def test_what_a_worker_raises_reaches_the_caller(tmp_path):
    with pytest.raises(ProfileError, match="image size"):
        collect(CollectConfig(tmp_path, episodes=1, image_size=1, cluster=LOCAL))


@pytest.mark.parametrize("shared_by", [{"cluster": LOCAL}, {"workers": 2}])
def test_an_evaluation_is_that_of_this_process_but_for_times(shared_by):
    alone = Measurement("random", None, WorldAsked("two-room"), "anywhere", 7, 3, batch=2)
    shared = replace(alone, **shared_by)
    told = []
    result = shared.run(lambda done, total, text="": told.append((done, total)))
    assert told[-1] == (7, 7)
    assert timeless(result) == timeless(alone.run(lambda *unused: None))


def timeless(result: dict[str, Any]) -> dict[str, Any]:
    kept = {k: v for k, v in result.items() if k not in ("wall_clock_s", "date", "decision_ms")}
    rows = [{k: v for k, v in row.items() if k != "decision_ms"} for row in result["per_episode"]]
    return {**kept, "per_episode": rows}


def test_measurements_of_a_campaign_are_shared_and_a_refusal_costs_one():
    jobs = [Measurement(n, None, WorldAsked("two-room"), "anywhere", 2, 3)
            for n in ("noop", "oracle", "random")]  # fmt: skip
    found = dict(measure_each(jobs, 1, LOCAL))
    assert isinstance(found[1], UserError)
    assert [found[n]["controller"] for n in (0, 2)] == ["noop", "random"]


@pytest.fixture(scope="module")
def rooms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sweep") / "rooms"
    collect(CollectConfig(out, "two-room", episodes=4, episode_steps=40, cluster=LOCAL))
    return out


def test_a_training_of_a_sweep_has_the_weights_of_one_here(rooms, tmp_path):
    plan = Plan((rooms,), preset="tiny", space=FAST)
    (there,) = Sweeper(plan, tmp_path / "ray", cluster=LOCAL).run()
    here = train(plan.listed(tmp_path / "here")[0])
    assert there["curve"] == here["curve"]
    weights = [next((tmp_path / where / "trials").glob("*/checkpoint/model.safetensors"))
               for where in ("ray", "here")]  # fmt: skip
    assert weights[0].read_bytes() == weights[1].read_bytes()


def test_optuna_suggests_and_a_later_search_goes_on(rooms, tmp_path):
    space = FAST | {"training.batch": Choices((4, 8)), "training.learning_rate": Range(1e-3, 1e-2)}
    plan = Plan((rooms,), (3, 4), "tiny", "optuna", 1, space)
    lines = Sweeper(plan, tmp_path, cluster=LOCAL, stop_early=True).run()
    assert [line["seed"] for line in lines] == [3]
    assert all(1e-3 <= line["settings"]["training.learning_rate"] <= 1e-2 for line in lines)
    assert all(line["held_out_error"] > 0 for line in lines)
    asked = []
    assert Sweeper(plan, tmp_path, cluster=LOCAL).run(lambda *told: asked.append(told)) == lines
    assert asked == [(1, 1)]


def test_a_worker_killed_amid_its_work_is_replaced_and_nothing_comes_twice(tmp_path):
    with crew_for(Fatal(tmp_path), None, 3, LOCAL) as crew:
        assert list(crew.make(range(3))) == [(0, 0), (1, 1), (2, 4)]
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize(
    ("error", "told"),
    [(GLError("no OpenGL: install libegl1"), "no OpenGL: install libegl1"),
     (OSError(errno.ENOSPC, "No space left", "/there"), "disk is full (/there)")],
)  # fmt: skip
def test_what_a_node_lacks_is_told_in_one_line_with_its_name(error, told):
    node = re.escape(f"node {platform.node()}: ")
    with (
        crew_for(Lacking(error), None, 1, LOCAL) as crew,
        pytest.raises(MachineError, match=node + r".*") as raised,
    ):
        list(crew.make([1]))
    assert told in str(raised.value) and "committed is kept" in str(raised.value)
    assert "\n" not in str(raised.value)
