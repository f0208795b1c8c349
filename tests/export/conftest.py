"""A world model small enough to export in a moment, and the same without torch."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_controller import CONTROL, PLANNER, make_model

from agent.export.exporting import export_controller
from agent.model.world_model import WorldModel


@pytest.fixture(scope="session")
def model() -> WorldModel:
    return make_model()


@pytest.fixture(scope="session")
def exported(model: WorldModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as a directory without torch."""
    directory = tmp_path_factory.mktemp("export") / "controller"
    export_controller(model, directory, {"made": "for a test"}, CONTROL, PLANNER)
    return directory
