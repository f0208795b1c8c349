"""The page as a visitor has it: a real browser looks at it, drags, drops, chooses and disturbs."""

from __future__ import annotations

import os
import signal
from typing import Any

import cv2
import numpy as np

from agent.live.page_scene import GRIP_RGB
from benchmarks.browser import HEIGHT_PX, LEFT_PX, RIGHT_PX, Served, Tab
from envs import make_world

ARRIVED = "/at the goal/.test(text)"
TO_A_PICTURE = "/going to a picture/.test(text)"
MIDDLE = np.array([(LEFT_PX + RIGHT_PX) / 2, HEIGHT_PX / 2])


def png(pixels: Any) -> bytes:
    return bytes(cv2.imencode(".png", pixels[..., ::-1])[1])


def test_the_goal_is_dragged_and_reached(page: Tab) -> None:
    page.wait_for(ARRIVED)
    start = np.array(page.centre_of(GRIP_RGB))
    across = start - MIDDLE
    end = MIDDLE + np.array([-across[1], across[0]])  # a quarter turn
    page.drag((start[0], start[1]), (end[0], end[1]))
    page.wait_for_grip(GRIP_RGB, end, within_px=15)
    page.wait_for(rf"{page.later()} && {ARRIVED}")


def test_what_acts_is_chosen_and_the_camera_disturbed(page: Tab) -> None:
    page.turn_to("choose")
    page.choose("what acts", "action head")
    page.turn_to("disturb")
    page.click("checkbox", "the camera hangs")
    page.turn_to("goal")
    page.click("button", "random goal")
    page.wait_for("/held: the camera shows old pictures/.test(text)")
    page.turn_to("files")
    page.wait_for("/acts=action head/.test(text) && /hangs=1/.test(text)")
    page.turn_to("choose")
    page.choose("what acts", "gauss-newton")
    page.turn_to("disturb")
    page.click("checkbox", "the camera hangs")
    page.click("button", "push left")
    page.wait_for(f"{page.later()} && {ARRIVED}")


def test_a_picture_is_dropped_and_one_of_nothing_refused(page: Tab) -> None:
    page.drop(png(np.full((64, 64, 3), 90, np.uint8)))
    page.wait_for("/got one flat colour/.test(text)")
    assert "going to a picture" not in page.tab.inner_text("body")
    world = make_world("reacher")
    page.drop(png(world.picture(np.array([0.6, 0.9, 0.0, 0.0]))))
    world.close()
    page.wait_for(TO_A_PICTURE)


def test_a_second_visitor_looks_on_until_they_take_over(
    page: Tab, browser: Any, served: Served
) -> None:
    page.turn_to("goal")
    page.click("button", "random goal")
    page.wait_for(f"!{TO_A_PICTURE}")
    other = Tab(browser, served.port, sharpness=0.1)
    other.wait_for("/2 look on/.test(text)")
    other.turn_to("goal")
    other.click("button", "remember this pose as the goal")
    other.wait_for("/press “take over” first/.test(text)")
    other.click("button", "take over")
    other.drop(png(make_world("reacher").picture(np.array([0.6, 0.9, 0.0, 0.0]))))
    other.wait_for(TO_A_PICTURE)
    assert not other.complaints
    other.tab.close()
    page.wait_for("/visitor [0-9]+ steers/.test(text) && !/look on/.test(text)")


def test_it_goes_on_through_a_reload(page: Tab) -> None:
    later = page.later()
    page.tab.reload()
    page.wait_for(later)
    page.wait_for("/visitor [0-9]+ steers/.test(text)")
    assert not page.complaints


def test_a_session_that_dies_and_a_server_that_is_gone_are_told(page: Tab, served: Served) -> None:
    os.kill(served.session_id, signal.SIGKILL)
    page.wait_for("/It has ended: the session's process died/.test(text)")
    said, _ = served.process.communicate(timeout=30)
    assert "died with exit code -9" in said and served.process.returncode == 4
    page.wait_for(r"/Connecting\.\.\.|Inactive/.test(text)")
