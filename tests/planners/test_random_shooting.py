"""Random shooting against what probability says of the best of N draws."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from planners import ActionBounds, RandomShootingPlanner, SeededNoise


@pytest.mark.parametrize(("samples", "iterations"), [(9, 1), (3, 3), (33, 3)])
def test_the_best_of_n_is_as_near_as_chance_has_it(samples: int, iterations: int) -> None:
    """The least of N uniform numbers in [-1, 1] lies 2 / (N + 1) above -1 on average."""
    episodes, count = 2000, samples * iterations
    planner = RandomShootingPlanner(samples, iterations)
    start, noise = np.ones((episodes, 1, 1, 1)), SeededNoise(range(episodes))
    plan = planner.plan(lambda u: u[..., 0, 0, 0], start, ActionBounds(), noise)
    expected = 2 / (count + 1)
    assert float((plan.cost + 1).mean()) == pytest.approx(expected, rel=0.08)  # 3.5 sigma


@pytest.mark.parametrize("wrong", [{"samples": 0}, {"iterations": 0}])
def test_senseless_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(wrong))}=0"):
        RandomShootingPlanner(**wrong)
