"""One real data set for all tests of this room, and a stand-in for the workers.

The stand-in makes valid shards of noise at once, so that what is tested about the disk needs
neither processes nor OpenGL.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from small_rollouts import COLLECT, SETTINGS

from agent.data import CollectConfig, RollOut, RolloutStore, collect
from agent.data.shards import encode_shard, join_rollouts
from agent.data.worker import ShardTask, WorkerSettings


class FakeCrew:
    """Takes the place of ``Crew``: the same bytes for the same task, and no process."""

    def __init__(self, settings: WorkerSettings, count: int) -> None:
        self.settings = settings

    def __enter__(self) -> FakeCrew:
        return self

    def __exit__(self, *unused: object) -> None:
        return None

    def make(self, tasks: Sequence[ShardTask]) -> Iterator[tuple[ShardTask, bytes]]:
        for task in tasks:
            episodes = [self._episode(number) for number in range(task.first, task.end)]
            pixels = np.concatenate([pixels for pixels, _ in episodes])
            yield task, encode_shard(pixels, join_rollouts([states for _, states in episodes]))

    def _episode(self, number: int) -> tuple[np.ndarray, RollOut]:
        rng = np.random.default_rng([self.settings.seed, number])
        steps, side = self.settings.episode_steps, self.settings.image_size
        pixels = rng.integers(0, 256, (steps + 1, side, side, 3), np.uint8)
        torques = rng.uniform(-1, 1, (steps, 2)).astype(np.float32)
        return pixels, RollOut(torques, *rng.standard_normal((2, steps + 1, 2)))


@pytest.fixture
def fake_crew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Collect without workers."""
    monkeypatch.setattr(COLLECT, "Crew", FakeCrew)
    monkeypatch.setattr(COLLECT, "configure_gl", lambda: "none")


@pytest.fixture
def fake_store(tmp_path: Path, fake_crew: None) -> RolloutStore:
    """A data set of noise: 6 episodes of 21 rows of 8×8 pixels in 3 shards."""
    return collect(CollectConfig(tmp_path / "fake", image_size=8, **SETTINGS))


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
