"""One Ray cluster on this machine for all tests here: the files of local processes, to the byte."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("ray")

from agent.cluster.ray_session import LOCAL, ray_session
from agent.commands.measurement import Hands, Measurement
from agent.commands.measuring import measure_each
from agent.commands.worlds_asked import WorldAsked
from agent.data import CollectConfig, collect
from agent.errors import UserError
from envs import ProfileError

WORLD = Path(__file__).parents[1] / "data" / "box_world.py"
BOX = {"world": f"{WORLD}:EndlessBox", "image_size": 8, "episodes": 6, "episode_steps": 20,
       "episodes_per_shard": 2, "seed": 3}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def ray() -> Iterator[Any]:
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


@pytest.mark.parametrize("hands", [Hands(cluster=LOCAL), Hands(workers=2)])
def test_an_evaluation_is_that_of_this_process_but_for_times(hands):
    alone = Measurement("random", None, WorldAsked("two-room"), "anywhere", 7, 3, batch=2)
    shared = replace(alone, hands=hands)
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
