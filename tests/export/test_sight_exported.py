"""The exported controller is held by the same sight."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from small_controller import CONTROL, SIZE, make_model

from agent.control.mpc import WorldModelController
from agent.export.exporting import export_controller
from agent.export.onnx_model import OnnxModel
from agent.interfaces import Goals, Seen
from agent.model.sight import Sight


def test_what_is_strange_is_held_without_torch(tmp_path: Path) -> None:
    model, shape = make_model(), (SIZE, SIZE, 3)
    model.sight = Sight(
        np.zeros((4, 5), np.float32), np.full((4, 16, 16, 3), 100, np.uint8),
        np.full(shape, 90, np.uint8), np.full(shape, 110, np.uint8),
        outside_limit=1.0, unlike_limit=20.0, news_limit=1e9, drift_limit=1e9, still_limit=1e9,
    )  # fmt: skip
    export_controller(model, tmp_path / "out", {}, CONTROL)
    exported = OnnxModel(tmp_path / "out")
    controller = WorldModelController(exported, None, exported.control)
    known, strange = (np.full((1, *shape), value, np.uint8) for value in (100, 200))
    controller.reset(Goals(pixels=known), [0])
    assert controller.act(Seen(pixels=known)).held == (None,)
    decision = controller.act(Seen(pixels=strange))
    assert decision.held[0] is not None and (decision.actions == 0).all()
