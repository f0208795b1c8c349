"""Torques that come late, and models that break down, seen from the evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from agent.errors import ModelFaultError
from agent.evaluation.delayed import DelayedController
from agent.evaluation.episodes import evaluate
from agent.evaluation.protocols import protocol_named


class Counting:
    """Sends the number of the tick, in thousandths, and breaks down when told to."""

    name = "counting"
    needs_pixels = False

    def __init__(self, breaks_at: int | None = None) -> None:
        self.breaks_at, self.ticks = breaks_at, 0
        self.fault: str | None = None

    def reset(self, observations: Sequence[Any], seeds: Sequence[int]) -> None:
        self.ticks = 0

    def act(self, observations: Sequence[Any]) -> np.ndarray:
        self.ticks += 1
        if self.ticks == self.breaks_at:
            self.fault = "not finite"
        return np.full((len(observations), 2), self.ticks / 1000)


@pytest.mark.parametrize("delay", [0, 1, 3])
def test_torques_come_out_in_order_and_late(delay: int) -> None:
    controller = DelayedController(Counting(), delay)
    for _ in range(2):  # a reset empties the line
        controller.reset([None, None], [1, 2])  # type: ignore[list-item]
        sent = [controller.act([None, None])[:, 0] for _ in range(6)]  # type: ignore[list-item]
        expected = [max(0, tick - delay) / 1000 for tick in range(1, 7)]
        np.testing.assert_allclose(np.stack(sent), np.repeat(np.array(expected)[:, None], 2, 1))


def test_all_else_is_the_controllers_own() -> None:
    controller = DelayedController(Counting(), 2)
    assert controller.name == "counting" and controller.needs_pixels is False
    with pytest.raises(AttributeError):
        _ = controller.nothing_of_the_kind
    with pytest.raises(ValueError, match="ticks >= 0"):
        DelayedController(Counting(), -1)


def test_a_fault_stops_the_evaluation() -> None:
    with pytest.raises(ModelFaultError, match="'counting', step 4: not finite"):
        evaluate(Counting(breaks_at=5), protocol_named("lewm"), 2, 5)
