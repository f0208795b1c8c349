"""One Ray cluster on this machine for all tests here: the files of local processes, to the byte."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("ray")

from agent.cluster.ray_session import LOCAL, ray_session
from agent.data import CollectConfig, collect
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
