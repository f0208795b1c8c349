"""The page as a visitor has it: a real browser looks at it and drags."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from agent.live.page_scene import GRIP_RGB
from tests.live.conftest import SIZE, Seen, Served

ARRIVED = "parseFloat(text.match(/error ([0-9.]+) rad/)[1]) < 0.05"


@pytest.fixture(scope="module")
def seen(browser: Any, served: Served) -> Seen:
    return Seen(browser, served.port)


def test_the_goal_is_dragged_and_reached(seen: Seen) -> None:
    seen.wait_for(ARRIVED)
    start, middle = seen.centre_of(GRIP_RGB), np.array([SIZE["width"] / 2, SIZE["height"] / 2])
    across = np.array(start) - middle
    end = middle + 2 * np.array([-across[1], across[0]])  # a quarter turn, and further out
    seen.drag(start, tuple(end))
    seen.wait_for(ARRIVED, 10)
    assert np.linalg.norm(seen.centre_of(GRIP_RGB) - end) < 12
    assert not seen.complaints
