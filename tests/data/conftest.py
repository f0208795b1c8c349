"""One real data set for all tests of this room, and a stand-in for the workers.

The stand-in makes shards in this process, so that what is tested about the disk needs neither
processes nor OpenGL.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from small_rollouts import BOX, COLLECT, SETTINGS

from agent.data import CollectConfig, RolloutStore, collect
from agent.data.shards import Shard
from agent.data.worker import ShardTask, WorkerSettings, make_shard
from envs import make_world


class FakeCrew:
    """Takes the place of ``Crew``: the same bytes for the same task, and no process."""

    def __init__(self, settings: WorkerSettings, count: int) -> None:
        self.settings = settings

    def __enter__(self) -> FakeCrew:
        return self

    def __exit__(self, *unused: object) -> None:
        return None

    def make(self, tasks: Sequence[ShardTask]) -> Iterator[tuple[ShardTask, Shard]]:
        world = make_world(self.settings.world, self.settings.look, self.settings.image_size)
        behaviour = self.settings.find_behaviour(self.settings.behaviour, world)
        for task in tasks:
            yield task, make_shard(task, self.settings, world, behaviour)


@pytest.fixture
def fake_crew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Collect without workers."""
    monkeypatch.setattr(COLLECT, "Crew", FakeCrew)


@pytest.fixture
def fake_store(tmp_path: Path, fake_crew: None) -> RolloutStore:
    """A data set of a box: 6 episodes of 21 rows of 8×8 pixels in 3 shards."""
    return collect(CollectConfig(tmp_path / "fake", **BOX))


@pytest.fixture(scope="session")
def real_store(tmp_path_factory: pytest.TempPathFactory) -> RolloutStore:
    """A small data set made by one real worker; not to be changed."""
    out = tmp_path_factory.mktemp("data") / "real"
    return collect(CollectConfig(out, workers=1, **SETTINGS))


@pytest.fixture(scope="session")
def files_of() -> Callable[[Path], dict[str, bytes]]:
    """Every file of a data set by its relative name."""

    def read(directory: Path) -> dict[str, bytes]:
        files = (path for path in directory.rglob("*") if path.is_file() and path.name != ".lock")
        return {str(path.relative_to(directory)): path.read_bytes() for path in files}

    return read
