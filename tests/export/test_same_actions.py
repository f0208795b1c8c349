"""The exported model leads to the actions that torch's leads to, given the same random numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_controller import CONTROL, PLANNER, SIZE, SPEC, make_model

from agent.control.model import Model, Situation
from agent.control.mpc import MPCConfig, WorldModelController
from agent.control.torch_model import TorchModel
from agent.errors import ModelFaultError
from agent.export.exporting import export_controller
from agent.export.onnx_model import OnnxModel
from agent.interfaces import Goals, Seen
from agent.model.world_model import WorldModel
from planners import GaussNewtonPlanner

Array = np.ndarray[Any, Any]


class Drawn:
    """A picture that actions change: E dots that move, so that the loop is closed."""

    def __init__(self, episodes: int) -> None:
        rng = np.random.default_rng(5)
        self.goals = Goals(pixels=rng.integers(0, 256, (episodes, SIZE, SIZE, 3), dtype=np.uint8))
        self._places = np.linspace(2.0, 12.0, 2 * episodes).reshape(episodes, 2)

    def step(self, actions: Array) -> None:
        self._places = np.clip(self._places + actions, 0, SIZE - 3)

    def seen(self) -> Seen:
        return Seen(pixels=np.stack([self._picture(place) for place in self._places]))

    def _picture(self, place: Array) -> Array:
        frame = np.full((SIZE, SIZE, 3), 40, np.uint8)
        row, column = place.astype(int)
        frame[row : row + 3, column : column + 3] = (place * 20).astype(np.uint8)[0]
        return frame


def drive(
    model: Model,
    seeds: Sequence[int],
    control: MPCConfig = CONTROL,
    planner: GaussNewtonPlanner = PLANNER,
) -> Array:
    """Actions (ticks, E, 2)."""
    controller = WorldModelController(model, planner, control)
    world, sent = Drawn(len(seeds)), []
    controller.reset(world.goals, seeds)
    for _ in range(15):
        sent.append(controller.act(world.seen()).actions)
        world.step(sent[-1])
    return np.stack(sent)


@pytest.mark.parametrize("seeds", [(1,), (1, 2, 3)], ids=["alone", "three"])
def test_same_actions_in_closed_loop(
    model: WorldModel, exported: Path, seeds: Sequence[int]
) -> None:
    expected, found = drive(TorchModel(model), seeds), drive(OnnxModel(exported), seeds)
    assert np.abs(np.diff(expected, axis=0)).max() > 0.1  # something happens
    assert (np.abs(expected) < 0.99).any()
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("settings", [{"delay_ticks": 3}, {"tick_ms": 1e6}], ids=str)
def test_the_exported_model_serves_delays_and_deadlines(
    model: WorldModel, exported: Path, settings: dict[str, Any]
) -> None:
    control = MPCConfig(CONTROL.horizon, CONTROL.cost, surprise_limit=3.0, **settings)
    expected, found = (
        drive(each, (1, 2), control) for each in (TorchModel(model), OnnxModel(exported))
    )
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_same_seed_gives_the_same_actions(exported: Path) -> None:
    first, again = (drive(OnnxModel(exported), (7, 8)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    timid = GaussNewtonPlanner(random_starts=50, dampings=(1e6,))  # so that luck counts
    lucky, other = (drive(OnnxModel(exported), (seed, 8), planner=timid) for seed in (7, 9))
    assert not np.array_equal(lucky[:, 0], other[:, 0])


def test_every_method_gives_what_torch_gives(model: WorldModel, exported: Path) -> None:
    rng = np.random.default_rng(0)

    def normal(*shape: int) -> Array:
        return rng.normal(size=shape).astype(np.float32)

    now = Situation(
        normal(2, 3, 5), normal(2, 2, 4), normal(2, 5), normal(2, 5),
        normal(2, 0, 2), np.ones(2, np.float32),
    )  # fmt: skip
    plans, blocks = normal(2, 6, 4, 4), normal(2, 3, 4)
    frames = rng.integers(0, 256, (2, SIZE, SIZE, 3), np.uint8)
    results = [
        (each.encode(frames), each.predict(now.embeddings, blocks), each.rollout(now, plans),
         *each.linearise(now, plans[:, 0]))
        for each in (TorchModel(model), OnnxModel(exported))
    ]  # fmt: skip
    for ours, theirs in zip(*results, strict=True):
        assert ours.shape == theirs.shape and ours.dtype == theirs.dtype == np.float32
        np.testing.assert_allclose(theirs, ours, atol=1e-4 * np.abs(ours).max())


def test_numbers_that_are_not_finite_reach_no_motor(
    exported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, world = OnnxModel(exported), Drawn(2)
    controller = WorldModelController(model, model.planner, model.control)
    controller.reset(world.goals, (1, 2))
    monkeypatch.setattr(
        model, "encode", lambda frames: np.full((len(frames), 5), np.nan, np.float32)
    )
    decision = controller.act(world.seen())
    np.testing.assert_array_equal(decision.actions, 0.0)
    assert decision.fault is not None
    with pytest.raises(ModelFaultError, match="not finite"):
        controller.act(world.seen())


@pytest.mark.parametrize(("context", "action_dim"), [(1, 2), (2, 1), (3, 5)])
def test_models_of_other_shapes_are_served_too(
    tmp_path: Path, context: int, action_dim: int
) -> None:
    network = make_model(context, replace(SPEC, action_dim=action_dim))
    control = replace(CONTROL, horizon=2)
    export_controller(network, tmp_path / "out", {}, control, PLANNER)
    frames, goals = np.random.default_rng(0).integers(0, 256, (2, 2, SIZE, SIZE, 3), np.uint8)
    sent = []
    for each in (TorchModel(network), OnnxModel(tmp_path / "out")):
        controller = WorldModelController(each, PLANNER, control)
        controller.reset(Goals(pixels=goals), (1, 2))
        sent.append([controller.act(Seen(pixels=frames)).actions for _ in range(8)])
    assert np.shape(sent[0]) == (8, 2, action_dim)
    np.testing.assert_allclose(sent[1], sent[0], atol=1e-4)
