"""The shipped model, exported, sends what the former controller sent."""

from __future__ import annotations

import numpy as np
import pytest
from former_controller import CHECKPOINT, then_and_now

from agent.export.exporting import export_controller
from agent.export.onnx_model import OnnxModel
from agent.model.checkpoint import load_checkpoint


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> OnnxModel:
    pytest.importorskip("onnx")
    directory = tmp_path_factory.mktemp("shipped") / "controller"
    export_controller(load_checkpoint(CHECKPOINT), directory, {})
    return OnnxModel(directory)


@pytest.mark.parametrize("delay", [0, 2])
def test_same_frames_and_noise_give_the_actions_of_the_former_controller(
    shipped: OnnxModel, delay: int
) -> None:
    former, found = then_and_now(shipped, delay)
    np.testing.assert_allclose(found, former, atol=1e-4)
