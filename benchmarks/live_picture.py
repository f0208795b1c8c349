"""A picture of the live page, and a film of it: paused, it is drawn tick by tick.

.venv/bin/python -m benchmarks.live_picture --picture docs/live.png --film docs/live.gif
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from agent.live.page_scene import GRIP_RGB
from agent.reporting.video import write_picture, write_video
from benchmarks.browser import LEFT_PX, Served, Tab, chromium

WIDTH_PX, HEIGHT_PX = 1120, 640
TICKS_A_FRAME, TICK_S = 2, 0.04
SETTLING_S = 15.0  # until it has pictures enough to imagine with
DRAG_FRAMES, RING_RGB = 6, (40, 40, 40)
GOALS_PX = ((-85, -75), (95, -60), (20, 110))  # from the middle of the scene


def main() -> None:
    """Write what is asked for."""
    arguments = _parse()
    served = Served("--start-state", "0.2", "0.8", "--goal-state", "-2.52", "1.9")
    try:
        with chromium() as browser:
            tab = Tab(browser, served.port, WIDTH_PX, HEIGHT_PX)
            tab.tab.wait_for_timeout(1e3 * SETTLING_S)
            tab.close_notices()
            frames = list(_scenes(tab, arguments.ticks))
    finally:
        served.end()
    if arguments.picture:
        write_picture(arguments.picture, frames[len(frames) // 2])
    if arguments.film:
        write_video(arguments.film, frames, 1.0 / (TICKS_A_FRAME * TICK_S))


def _scenes(tab: Tab, ticks: int) -> Iterator[Any]:
    """Every second tick while goal after goal is dragged and reached."""
    tab.click("checkbox", "pause")
    middle = np.array([(LEFT_PX + WIDTH_PX - 330) / 2, HEIGHT_PX / 2])
    for offset in GOALS_PX:
        yield from _dragged(tab, np.array(tab.centre_of(GRIP_RGB)), middle + np.array(offset))
        for _ in range(ticks // TICKS_A_FRAME):
            yield tab.picture()
            for _ in range(TICKS_A_FRAME):
                tab.click("button", "one tick")
                tab.tab.wait_for_timeout(90)
            tab.tab.wait_for_timeout(250)


def _dragged(tab: Tab, start: Any, end: Any) -> Iterator[Any]:
    """The goal on its way, with a ring where the pointer is: no screenshot has one."""
    mouse = tab.tab.mouse
    mouse.move(*start)
    mouse.down()
    for share in np.linspace(0, 1, DRAG_FRAMES):
        at = start + share * (end - start)
        mouse.move(*at)
        tab.tab.wait_for_timeout(500)
        yield cv2.circle(tab.picture(), tuple(at.round().astype(int).tolist()), 16, RING_RGB, 2)
    mouse.up()


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--film", type=Path)
    parser.add_argument("--ticks", type=int, default=36, help="for each goal")
    return parser.parse_args()


if __name__ == "__main__":
    main()
