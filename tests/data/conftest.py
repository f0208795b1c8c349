"""One real data set for all tests of this room, and a stand-in for the workers.

Without workers shards are made in this process, so that what is tested about the disk needs neither
processes nor OpenGL.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from small_rollouts import BOX, COLLECT, SETTINGS

from agent.cluster import InThisProcess
from agent.data import CollectConfig, RolloutStore, collect


@pytest.fixture
def fake_crew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Collect without workers."""
    monkeypatch.setattr(COLLECT, "crew_for", lambda work, *_: InThisProcess(work))


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
