"""What recordings say about how far a model may err."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import run_agent
from agent.config import preset
from agent.data import Episodes, RolloutStore
from agent.files.bundle import bundle_sha256
from agent.interfaces import FloatArray, Image
from agent.model.checkpoint import load_checkpoint, save_checkpoint
from agent.model.world_model import WorldModel
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


def test_a_guard_without_a_limit_is_never_written(
    recording: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    short = recording("short")
    model = WorldModel(preset("tiny").model, RolloutStore.open(short).header.spec)
    save_checkpoint(tmp_path / "model", model, {})
    before = bundle_sha256(tmp_path / "model")
    words = ["calibrate", "--checkpoint", str(tmp_path / "model"), "--data", str(short)]
    assert run_agent.main(words) == 2
    assert "held-out episodes of 7 frames or more" in capsys.readouterr().err
    assert bundle_sha256(tmp_path / "model") == before


def test_limits_that_change_are_told_beside_those_of_before(
    recording: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, place = recording("one-action"), tmp_path / "model"
    save_checkpoint(
        place, WorldModel(preset("tiny").model, RolloutStore.open(data).header.spec), {}
    )
    for moved in (1.0, 1.0, 2.0):
        model = load_checkpoint(place)
        if model.sight is not None:
            model.sight = replace(model.sight, news_limit=moved * model.sight.news_limit)
            save_checkpoint(place, model, {})
        assert run_agent.main(["calibrate", "--checkpoint", str(place), "--data", str(data)]) == 0
        assert capsys.readouterr().out.count("(was ") == moved - 1


def test_what_can_be_measured_on_is_looked_for_among_all() -> None:
    lengths = np.array([4, 4, 9, 9, 9])
    nothing = np.empty(0)
    episodes = Episodes(nothing, nothing, nothing, np.cumsum(lengths) - lengths, lengths)  # type: ignore[arg-type]
    assert episodes.some(np.arange(5), 2, 7).tolist() == [2, 3]
    assert episodes.some(np.arange(5), 3, 7).tolist() == [0, 1, 2]
    assert episodes.some(np.arange(5), 2, 10).tolist() == [0, 1]
