"""The controller still sends what it sent when it was written for torch alone."""

from __future__ import annotations

import numpy as np
import pytest
from former_controller import CHECKPOINT, then_and_now

from agent.control.torch_model import TorchModel
from agent.model.checkpoint import load_checkpoint


@pytest.mark.parametrize("delay", [0, 2])
def test_same_frames_and_noise_give_the_actions_of_the_former_controller(delay: int) -> None:
    former, found = then_and_now(TorchModel(load_checkpoint(CHECKPOINT)), delay)
    assert np.abs(np.diff(former, axis=0)).max() > 0.1  # something happens
    np.testing.assert_allclose(found, former, atol=1e-4)
