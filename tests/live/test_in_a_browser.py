"""The page as a visitor has it: a real browser looks at it, drags, drops, chooses and disturbs."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from agent.live.page_scene import GRIP_RGB
from benchmarks.browser import HEIGHT_PX, LEFT_PX, RIGHT_PX, Served, Tab
from envs import make_world

ARRIVED = "/at the goal/.test(text)"
MIDDLE = np.array([(LEFT_PX + RIGHT_PX) / 2, HEIGHT_PX / 2])


def png(pixels: Any) -> bytes:
    return bytes(cv2.imencode(".png", pixels[..., ::-1])[1])


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


def test_what_acts_is_chosen_and_the_camera_disturbed(page: Tab) -> None:
    page.click("tab", "choose")
    page.choose("what acts", "action head")
    page.click("tab", "disturb")
    page.click("checkbox", "the camera hangs")
    page.click("button", "push left")
    page.wait_for("/held: the camera shows old pictures/.test(text)")
    page.click("tab", "files")
    page.wait_for("/acts=action head/.test(text) && /hangs=1/.test(text)")
    page.click("tab", "disturb")
    page.click("checkbox", "the camera hangs")
    page.wait_for(ARRIVED)


def test_a_picture_is_dropped_and_one_of_nothing_refused(page: Tab) -> None:
    world = make_world("reacher")
    page.drop(png(np.full((64, 64, 3), 90, np.uint8)))
    page.wait_for("/got one flat colour/.test(text)")
    page.drop(png(world.picture(np.array([0.6, 0.9, 0.0, 0.0]))))
    page.wait_for("/going to a picture/.test(text)")
    world.close()


def test_a_second_visitor_looks_on_until_they_take_over(
    page: Tab, browser: Any, served: Served
) -> None:
    other = Tab(browser, served.port)
    other.wait_for("/2 look on/.test(text)")
    other.click("button", "random goal")
    other.wait_for("/press “take over” first/.test(text)")
    assert "going to a picture" in page.tab.inner_text("body")
    other.click("button", "take over")
    other.click("button", "random goal")
    other.wait_for("!/going to a picture/.test(text)")
    assert not other.complaints
    other.tab.close()


def test_it_goes_on_through_a_reload_and_is_seen_to_end(page: Tab, served: Served) -> None:
    before = page.number(r"tick (\d+)")
    page.tab.reload()
    page.wait_for(rf"parseInt((text.match(/tick (\d+)/) || [0, 0])[1]) > {before}", 60)
    page.wait_for("/visitor [0-9]+ steers/.test(text)")
    assert not page.complaints
    served.end()
    page.wait_for("/It was ended/.test(text)")
