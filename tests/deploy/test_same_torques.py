"""The controller without torch sends what torch's sends, given the same random numbers."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from small_controller import CONTROL, PLANNER, SIZE, TorchNoise, make_model

from agent.control.mpc import WorldModelController
from agent.deploy.controller import OnnxController
from agent.deploy.gauss_newton import SeededNoise
from agent.errors import ModelFaultError
from agent.export.tangents import rollout_with_tangents
from agent.interfaces import GoalObservation
from agent.model.linearise import linearise_rollout
from agent.model.world_model import WorldModel
from planners import GaussNewtonPlanner

ROOT = Path(__file__).parents[2]


class Drawn:
    """A picture that torques change: E dots that move, so that the loop is closed."""

    def __init__(self, episodes: int) -> None:
        self._rng = np.random.default_rng(5)
        self._goals = self._rng.integers(0, 256, (episodes, SIZE, SIZE, 3), dtype=np.uint8)
        self._places = np.linspace(2.0, 12.0, 2 * episodes).reshape(episodes, 2)

    def step(self, torques: np.ndarray) -> None:
        self._places = np.clip(self._places + torques, 0, SIZE - 3)

    def observations(self) -> list[GoalObservation]:
        return [
            GoalObservation(self._picture(place), goal, np.zeros(4), np.zeros(4))
            for place, goal in zip(self._places, self._goals, strict=True)
        ]

    def _picture(self, place: np.ndarray) -> np.ndarray:
        frame = np.full((SIZE, SIZE, 3), 40, np.uint8)
        row, column = place.astype(int)
        frame[row : row + 3, column : column + 3] = (place * 20).astype(np.uint8)[0]
        return frame


def drive(controller: WorldModelController | OnnxController, seeds: Sequence[int]) -> np.ndarray:
    """Torques (ticks, E, 2)."""
    world, sent = Drawn(len(seeds)), []
    controller.reset(world.observations(), seeds)
    for _ in range(15):
        sent.append(controller.act(world.observations()))
        world.step(sent[-1])
    return np.stack(sent)


@pytest.mark.parametrize("seeds", [(1,), (1, 2, 3)], ids=["alone", "three"])
def test_same_torques_in_closed_loop(
    model: WorldModel, exported: Path, seeds: Sequence[int]
) -> None:
    expected = drive(WorldModelController(model, GaussNewtonPlanner(PLANNER), CONTROL), seeds)
    found = drive(OnnxController(exported, noise=TorchNoise), seeds)
    assert np.abs(np.diff(expected, axis=0)).max() > 0.1  # something happens
    assert (np.abs(expected) < 0.99).any()
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_same_seed_gives_the_same_torques(exported: Path) -> None:
    first, again = (drive(OnnxController(exported), (7, 8)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    other = drive(OnnxController(exported), (9, 8))
    assert not np.array_equal(first[:, 0], other[:, 0])


def test_noise_is_standard_normal_and_each_episode_has_its_own() -> None:
    numbers = SeededNoise((1, 2))((4000,))
    assert numbers.dtype == np.float32
    np.testing.assert_allclose(numbers.mean(1), 0, atol=0.06)
    np.testing.assert_allclose(numbers.std(1), 1, atol=0.05)
    np.testing.assert_array_equal(numbers[1], SeededNoise((2,))((4000,))[0])


@pytest.mark.parametrize("context", [1, 3])
@torch.no_grad()
def test_tangents_are_the_slope_of_the_rollout(context: int) -> None:
    model, draw = make_model(context).double(), torch.Generator().manual_seed(1)
    embeddings, past, plan, drift = (
        torch.randn(2, *shape, generator=draw, dtype=torch.float64)
        for shape in ((context, 5), (context - 1, 4), (4, 4), (5,))
    )
    expected, slope = linearise_rollout(model, embeddings, past, plan, drift)
    for step, dual in enumerate(rollout_with_tangents(model, embeddings, past, plan, drift)):
        count = 4 * (step + 1)
        torch.testing.assert_close(dual.value[:, 0], expected[:, step])
        torch.testing.assert_close(dual.tangents.mT, slope[:, step, :, :count], atol=1e-6, rtol=0)
        assert not slope[:, step, :, count:].any()


def test_numbers_that_are_not_finite_reach_no_motor(exported: Path) -> None:
    controller, world = OnnxController(exported), Drawn(2)
    controller.reset(world.observations(), (1, 2))
    controller.graphs.encode = lambda frames: np.full((len(frames), 5), np.nan, np.float32)  # type: ignore[method-assign]
    np.testing.assert_array_equal(controller.act(world.observations()), 0.0)
    assert controller.fault is not None
    with pytest.raises(ModelFaultError, match="not finite"):
        controller.act(world.observations())


def test_runs_without_torch(exported: Path) -> None:
    program = f"""
import sys
sys.modules["torch"] = None  # importing it now fails
import numpy as np
import agent.deploy.__main__
from agent.deploy.controller import OnnxController
from agent.interfaces import GoalObservation
picture = np.zeros(({SIZE}, {SIZE}, 3), np.uint8)
seen = [GoalObservation(picture, picture, np.zeros(4), np.zeros(4))]
controller = OnnxController(__import__("pathlib").Path({str(exported)!r}))
controller.reset(seen, [0])
assert np.isfinite(controller.act(seen)).all()
"""
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)
