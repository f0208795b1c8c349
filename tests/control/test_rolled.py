"""A plan that was rolled out is not rolled out again, and another one never takes its place."""

from __future__ import annotations

import numpy as np
import pytest

from agent.control.model import Rolled, Situation
from agent.interfaces import FloatArray


def situation() -> Situation:
    nothing = np.zeros((2, 0), np.float32)
    return Situation(nothing, nothing, nothing, nothing, nothing, nothing)


@pytest.fixture
def plans() -> FloatArray:
    return np.random.default_rng(0).normal(size=(2, 3, 4, 2)).astype(np.float32)


def test_what_is_known_is_not_asked_for_again(plans: FloatArray) -> None:
    rolled, now = Rolled(lambda now, plans: pytest.fail("it is known")), situation()
    rolled.keep(now, plans, 2 * plans)
    one = plans[[0, 1], [2, 0]]  # another of each episode's
    np.testing.assert_array_equal(rolled.along(now, one), 2 * one)


@pytest.mark.parametrize("change", ["situation", "one episode's plan"])
def test_what_is_new_is_rolled_out(plans: FloatArray, change: str) -> None:
    rolled, now = Rolled(lambda now, plans: 3 * plans), situation()
    rolled.keep(now, plans, 2 * plans)
    one = plans[:, 1].copy()
    if change == "situation":
        now = situation()
    else:
        one[1, 0, 0] += 1e-6
    np.testing.assert_array_equal(rolled.along(now, one), 3 * one)


def test_plans_that_a_planner_changes_in_place_are_new(plans: FloatArray) -> None:
    rolled, now = Rolled(lambda now, plans: 3 * plans), situation()
    rolled.keep(now, plans, 2 * plans)
    plans += 1.0
    np.testing.assert_array_equal(rolled.along(now, plans[:, 0]), 3 * plans[:, 0])
