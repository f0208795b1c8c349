"""What recordings say about how far a model may err."""

from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np
import pytest

from agent.interfaces import FloatArray, Image
from agent.training import sight
from agent.training.sight import learn_sight


def part(*_: object) -> sight._Known:
    frames = np.full((40, 16, 16, 3), 100, np.uint8)
    embeddings = np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32)
    return sight._Known(frames, embeddings, frames, frames[0], frames[0])


def foreseen(*_: object) -> Iterator[tuple[Image, FloatArray, FloatArray, FloatArray]]:
    """Ten frames, of which the last two are the same again, under a push of 0.5 and of 0.001."""
    frames = np.arange(10, dtype=np.uint8)[:, None, None, None] + np.zeros((16, 16, 3), np.uint8)
    frames[8:] = frames[7]
    errors = np.full((6, 4), 0.1, np.float32)
    errors[-2:] = 0.2
    pushes = np.array([1, 1, 1, 1, 0.5, 0.001], np.float32)
    yield frames, np.zeros((10, 4), np.float32), errors, pushes


def test_a_wall_may_hold_what_is_pushed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sight, "_part", part)
    monkeypatch.setattr(sight, "_foreseen", foreseen)
    model, rows = SimpleNamespace(eval=lambda: None), np.arange(4)
    learned = learn_sight(model, None, rows, rows)  # type: ignore[arg-type]
    assert learned.rest_limit == pytest.approx(1.5 * 0.01)
    assert learned.push_share == pytest.approx(1.5 * 0.04 / 0.05)  # next to no push is none
    assert learned.still_limit == pytest.approx(3 * 0.04)
    assert learned.drift_limit > learned.still_limit_at(1.0) > learned.still_limit_at(0.0)
