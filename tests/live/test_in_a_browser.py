"""The page as a visitor has it: a real browser looks at it and drags the goal."""

from __future__ import annotations

import numpy as np

from agent.live.page_scene import GRIP_RGB
from benchmarks.browser import HEIGHT_PX, LEFT_PX, RIGHT_PX, Tab

ARRIVED = "/at the goal/.test(text)"
MIDDLE = np.array([(LEFT_PX + RIGHT_PX) / 2, HEIGHT_PX / 2])


def test_the_goal_is_dragged_and_reached(page: Tab) -> None:
    page.wait_for(ARRIVED)
    start = np.array(page.centre_of(GRIP_RGB))
    across = start - MIDDLE
    end = MIDDLE + np.array([-across[1], across[0]])  # a quarter turn
    page.drag((start[0], start[1]), (end[0], end[1]))
    for _ in range(50):
        if np.linalg.norm(page.centre_of(GRIP_RGB) - end) < 15:
            break
        page.tab.wait_for_timeout(100)
    else:
        raise AssertionError(f"the goal is not where it was dragged to, {end}")
    page.tab.wait_for_timeout(1000)  # words are shown a few times a second
    page.wait_for(ARRIVED)
    assert not page.complaints
