"""The page as a visitor has it: a real browser looks at it, drags, drops, chooses and disturbs."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from agent.live.page_scene import GRIP_RGB
from benchmarks.browser import HEIGHT_PX, LEFT_PX, RIGHT_PX, Served, Tab
from envs import make_world

ARRIVED = "/at the goal/.test(text)"
MIDDLE = np.array([(LEFT_PX + RIGHT_PX) / 2 + 5, HEIGHT_PX / 2])


def png(pixels: Any) -> bytes:
    return bytes(cv2.imencode(".png", pixels[..., ::-1])[1])


def drop(page: Tab, content: bytes) -> None:
    page.tab.get_by_role("tab", name="files").click()
    file = {"name": "my.png", "mimeType": "image/png", "buffer": content}
    page.tab.locator("input[type=file]").first.set_input_files(file)


def test_the_goal_is_dragged_and_reached(page: Tab) -> None:
    page.wait_for(ARRIVED)
    start = np.array(page.centre_of(GRIP_RGB))
    across = start - MIDDLE
    end = MIDDLE + np.array([-across[1], across[0]])  # a quarter turn
    page.drag(tuple(start), tuple(end))
    page.wait_for(ARRIVED)
    assert np.linalg.norm(page.centre_of(GRIP_RGB) - end) < 15


def test_what_acts_is_chosen_and_the_camera_disturbed(page: Tab) -> None:
    page.tab.get_by_role("tab", name="choose").click()
    page.tab.get_by_label("what acts").click()
    page.tab.get_by_role("option", name="action head").click()
    page.wait_for("/acts=action head/.test(text)" if False else "true")
    page.tab.get_by_role("tab", name="disturb").click()
    page.tab.get_by_label("the camera hangs").check()
    page.tab.get_by_role("button", name="push left").click()
    page.wait_for("/held: the camera shows old pictures/.test(text)")
    page.tab.get_by_label("the camera hangs").uncheck()
    page.wait_for(ARRIVED)


def test_a_picture_is_dropped_and_one_of_nothing_refused(page: Tab) -> None:
    world = make_world("reacher")
    drop(page, png(np.full((64, 64, 3), 90, np.uint8)))
    page.wait_for("/got one flat colour/.test(text)")
    drop(page, png(world.picture(np.array([0.6, 0.9, 0.0, 0.0]))))
    page.wait_for("/going to a picture/.test(text)")
    world.close()


def test_a_second_visitor_looks_on_until_they_take_over(page: Tab, browser: Any) -> None:
    served_at = int(page.tab.url.rstrip("/").rpartition(":")[2])
    other = Tab(browser, served_at)
    other.wait_for("/2 look on/.test(text)")
    other.tab.get_by_role("button", name="random goal").click()
    other.wait_for("/press “take over” first/.test(text)")
    assert "going to a picture" in page.tab.inner_text("body")
    other.tab.get_by_role("button", name="take over").click()
    other.tab.get_by_role("button", name="random goal").click()
    page.wait_for(ARRIVED)
    assert not other.complaints
    other.tab.close()


def test_it_is_reloaded_while_it_runs_and_says_when_it_is_gone(page: Tab, served: Served) -> None:
    before = page.number(r"tick (\d+)")
    page.tab.reload()
    page.wait_for(rf"parseInt(text.match(/tick (\d+)/)?.[1]) > {before}", 60)
    assert not page.complaints
    served.process.kill()
    page.wait_for("/Disconnected|Connecting|Reconnecting/i.test(text)")
