"""What a line reads, of embeddings of which it is known."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from agent.diagnosis.readings import Readings, of_readings, readings
from envs import WorldSpec
from envs.base import Column

EPISODES, FRAMES = 8, 400


def spec(*columns: Column) -> WorldSpec:
    return WorldSpec("dial", "plain", (8, 8), 1, 0.1, columns)


def dial(noise: float) -> tuple[list[Any], list[Any]]:
    """Angles all the way round, and embeddings: sine, cosine, and noise beside it."""
    rng = np.random.default_rng(0)
    angles = [rng.uniform(-np.pi, np.pi, (FRAMES, 1)) for _ in range(EPISODES)]
    seen = [np.hstack([np.sin(a), np.cos(a)]) for a in angles]
    return angles, [z + noise * rng.standard_normal(z.shape) for z in seen]


def first_output(scale: float = 3.0) -> Any:
    """A model that measures distances in the first of its outputs alone."""
    return SimpleNamespace(goal_metric=torch.zeros(2, 1), measured=lambda z: scale * z[..., :1])


ROUND = Column("hand", period=2 * np.pi, tolerance=0.1)


def test_a_circle_is_read_as_sine_and_cosine() -> None:
    found = readings(first_output(), spec(ROUND), *dial(0.0))
    assert found is not None
    assert found.embedding == pytest.approx({"sin hand": 1, "cos hand": 1}, abs=1e-6)
    assert found.measured == pytest.approx({"sin hand": 1, "cos hand": 0}, abs=0.02)
    line = of_readings(found)
    assert "1.0000" in line.effect and "(cos hand) where" in line.effect


def test_what_is_lost_where_distances_are_measured_does_not_hold() -> None:
    found = Readings({"x": 0.999}, {"x": 0.1})
    assert of_readings(found).level == "fails"


def test_noise_costs_what_it_weighs() -> None:
    """Of sines of variance 1/2 with noise of deviation s beside: R² = 1/(1 + 2s²)."""
    found = readings(first_output(), spec(ROUND), *dial(0.5))
    assert found is not None and found.embedding["sin hand"] == pytest.approx(2 / 3, abs=0.04)
    assert of_readings(found).level == "fails"


def test_nothing_is_read_where_nothing_is_told_or_moves() -> None:
    angles, seen = dial(0.0)
    assert readings(first_output(), spec(), angles, seen) is None
    assert readings(first_output(), spec(ROUND), angles[:1], seen[:1]) is None
    still = [np.zeros_like(a) for a in angles]
    assert readings(first_output(), spec(Column("shift")), still, seen) is None
