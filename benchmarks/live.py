"""The live page before a real browser: how soon it shows, whether ticks keep their time, how soon a
goal acts that was let go, and what reloads and a flood of messages leave behind.

    .venv/bin/python -m benchmarks.live --minutes 10 --reload-s 10 --json results/live/page.json

The browser draws in software on the same cores; beside it a viewer is measured whose browser is on
another machine: one that reads all that is sent, and draws nothing here. Nothing else should run
meanwhile. The goal changes every other second, so that there is always something to draw.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Self, cast

import numpy as np
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from agent.commands.console import note
from agent.commands.live import Live
from agent.commands.opening import open_session
from agent.evaluation.provenance import circumstances
from agent.files.json_files import write_json
from agent.live.link import Link
from agent.live.moment import Moment
from agent.live.page import Page
from agent.live.page_scene import GRIP_RGB
from agent.live.wishes import Press
from benchmarks.browser import (
    HEIGHT_PX,
    LEFT_PX,
    PICTURED,
    RIGHT_PX,
    TICKING,
    Served,
    Tab,
    chromium,
    free_port,
)

LATE, DUE = r"(\d+) of \d+ late", r"of (\d+) late"
SETTLING_S, WARM_UP_S, FLOOD_S, GOAL_EVERY_S = 20.0, 60.0, 10.0, 2.0


def main() -> None:
    """Measure, print, and write JSON if asked."""
    arguments = _parse()
    result: dict[str, Any] = {"command": _said(arguments)}
    with chromium() as browser:
        for name, measure in _measures(browser, arguments).items():
            if arguments.only and name not in arguments.only:
                continue
            result[name] = measure()
            note(f"{name}: {json.dumps(result[name])}")
            if arguments.json:  # each as soon as it is known
                write_json(arguments.json, {**result, **circumstances()})


def _measures(
    browser: Any, arguments: argparse.Namespace
) -> dict[str, Callable[[], dict[str, Any]]]:
    return {
        "first": lambda: first_pictures(browser, arguments.starts),
        "distant_viewer": lambda: distant_viewer(arguments.seconds),
        "one_viewer": lambda: one_viewer(browser, arguments.seconds, arguments.drags),
        "flood": lambda: flood(browser),
        "long_run": lambda: long_run(browser, arguments.minutes, arguments.reload_s),
    }


def first_pictures(browser: Any, starts: int) -> dict[str, list[float]]:
    """Seconds from the command to the camera's picture in an open browser, and to the first tick
    of the agent that is shown there, ``starts`` times.
    """
    pictures, ticks = [], []
    for _ in range(starts):
        began_s = time.monotonic()
        served = Served()
        tab = Tab(browser, served.port, until=PICTURED)
        pictures.append(round(time.monotonic() - began_s, 2))
        tab.wait_for(TICKING)
        ticks.append(round(time.monotonic() - began_s, 2))
        tab.tab.close()
        served.end()
    return {"picture_s": sorted(pictures), "tick_s": sorted(ticks)}


def one_viewer(browser: Any, seconds: float, drags: int) -> dict[str, Any]:
    """Late ticks with a browser here, and the time from letting a goal go to its acting [ms]."""
    with _Playing() as playing:
        tab = Tab(browser, playing.port)
        told = playing.watched(seconds, tab.tab.wait_for_timeout)
        delays_ms = [_drag_ms(tab, playing, number) for number in range(drags)]
        tab.tab.close()
    return {
        **told,
        "release_to_acting_ms": sorted(round(ms) for ms in delays_ms),
        "console_errors": tab.complaints,
    }


def distant_viewer(seconds: float) -> dict[str, Any]:
    """Late ticks with a viewer who draws elsewhere: all is sent, and read, and forgotten."""
    with _Playing() as playing:
        reader = multiprocessing.get_context("spawn").Process(
            target=read_all, args=(playing.port,), daemon=True
        )
        reader.start()
        told = playing.watched(seconds, lambda ms: time.sleep(ms / 1e3))
        reader.kill()
    return told


def read_all(port: int) -> None:
    """Be a viewer who draws nothing. The main of a process of its own."""
    with connect(_address(port), subprotocols=_protocol(), max_size=None) as client:
        for _ in client:
            pass


class _Playing:
    """A page served by a thread of this process, to a goal that changes every other second."""

    def __init__(self) -> None:
        self.port, self.last, self._ended = free_port(), cast(Moment, None), False

    def __enter__(self) -> Self:
        self._link = Link(partial(open_session, Live())).__enter__()
        self._page = Page("127.0.0.1", self.port, self._link.ask)
        self._page.begin(self._link.glimpse())
        self._page.open(self._link.opening())
        self._thread = threading.Thread(target=self._keep, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended = True
        self._thread.join()
        self._page.close()
        self._link.__exit__(None, None, None)

    def watched(self, seconds: float, wait_ms: Callable[[float], None]) -> dict[str, Any]:
        """Late ticks in that time, after a while to settle, and the time of the last ones."""
        wait_ms(1e3 * SETTLING_S)
        first = self.last
        for _ in range(round(seconds / GOAL_EVERY_S)):
            self._link.ask(Press(0, "random-goal"))
            wait_ms(1e3 * GOAL_EVERY_S)
        last = self.last
        spent = last.traces[:, 6]
        return {
            **_late(first.due_ticks, first.late_ticks, last.due_ticks, last.late_ticks),
            "tick_ms": {f"p{p}": round(float(np.percentile(spent, p)), 2) for p in (50, 95)},
        }

    def _keep(self) -> None:
        for moment in self._link.moments():
            self._page.show(moment)
            self.last = moment
            if self._ended:
                return


def _drag_ms(tab: Tab, playing: _Playing, number: int) -> float:
    """Drag the goal about the middle; from letting go to the last goal's acting [ms]."""
    middle = np.array([(LEFT_PX + RIGHT_PX) / 2, HEIGHT_PX / 2])
    start = np.array(tab.centre_of(GRIP_RGB))
    angle = 2.4 * (number + 1)
    end = middle + 90.0 * np.array([np.cos(angle), np.sin(angle)])
    tab.drag((start[0], start[1]), (end[0], end[1]))
    released_s = time.monotonic()
    time.sleep(1.5)
    return 1e3 * (playing.last.goal_at_s - released_s)


def flood(browser: Any) -> dict[str, Any]:
    """Late ticks while one client sends nonsense and reconnects, and another sends without end."""
    import msgspec

    served = Served()
    tab = Tab(browser, served.port)
    ended = threading.Event()
    message = msgspec.msgpack.encode({"type": "ViewerCameraMessage", "nonsense": [1] * 50})
    sent = [0]

    def pour() -> None:
        while not ended.is_set():
            try:
                with connect(_address(served.port), subprotocols=_protocol()) as client:
                    while not ended.is_set():
                        client.send(message)
                        sent[0] += 1
            except (ConnectionClosed, OSError):
                continue

    tab.tab.wait_for_timeout(1e3 * SETTLING_S)
    first = _told(tab)
    threads = [threading.Thread(target=pour, daemon=True) for _ in range(2)]
    for thread in threads:
        thread.start()
    tab.tab.wait_for_timeout(1e3 * FLOOD_S)
    ended.set()
    tab.tab.wait_for_timeout(2e3)
    last = _told(tab)
    tab.tab.close()
    served.end()
    return {**_late(*first, *last), "messages": sent[0]}


def long_run(browser: Any, minutes: float, reload_s: float) -> dict[str, Any]:
    """Memory of both processes and late ticks over ``minutes``, reloading every ``reload_s``.

    ``growth_mb`` is of both together. A browser that loads a page anew takes all it can get.
    """
    served = Served()
    tab = Tab(browser, served.port)
    tab.tab.wait_for_timeout(1e3 * WARM_UP_S)
    first, before_mb, reloads = _told(tab), _memory_mb(served.process.pid), 0
    began_s = time.monotonic()
    while time.monotonic() - began_s < 60 * minutes:
        tab.tab.wait_for_timeout(1e3 * reload_s)
        tab.tab.reload()
        tab.wait_for(TICKING, 60)
        tab.click("button", "random goal")
        reloads += 1
        note(f"{reloads}: {_memory_mb(served.process.pid)} MB")
    last, after_mb = _told(tab), _memory_mb(served.process.pid)
    tab.tab.close()
    served.end()
    return {
        **_late(*first, *last), "minutes": minutes, "reloads": reloads,
        "growth_mb": round(sum(after_mb) - sum(before_mb), 1),
        "memory_mb": {"page": [before_mb[0], after_mb[0]], "session": [before_mb[1], after_mb[1]]},
        "console_errors": tab.complaints,
    }  # fmt: skip


def _told(tab: Tab) -> tuple[int, int]:
    """Ticks that were due, and late ones, as the page says."""
    return int(tab.number(DUE)), int(tab.number(LATE))


def _late(due: int, late: int, due_then: int, late_then: int) -> dict[str, Any]:
    passed, missed = due_then - due, late_then - late
    share = round(100 * (1 - missed / max(1, passed)), 2)
    return {"due": passed, "late": missed, "in_time_percent": share}


def _address(port: int) -> str:
    return f"ws://127.0.0.1:{port}"


def _protocol() -> list[Any]:
    import viser

    return [f"viser-v{viser.__version__}"]


def _memory_mb(process_id: int) -> tuple[float, float]:
    """Resident memory of the page's process, and of the session's."""
    told = Path(f"/proc/{process_id}/task/{process_id}/children").read_text().split()
    return _rss_mb(process_id), max(_rss_mb(int(child)) for child in told)


def _rss_mb(process_id: int) -> float:
    pages = int(Path(f"/proc/{process_id}/statm").read_text().split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, 1)


def _said(arguments: argparse.Namespace) -> str:
    return (
        f"python -m benchmarks.live --minutes {arguments.minutes:g} --reload-s "
        f"{arguments.reload_s:g} --seconds {arguments.seconds:g}"
    )


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", nargs="*", default=(), help="of the measures; all by default")
    parser.add_argument("--starts", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=60.0, help="of watching with one viewer")
    parser.add_argument("--drags", type=int, default=10)
    parser.add_argument("--minutes", type=float, default=10.0, help="of the long run")
    parser.add_argument("--reload-s", type=float, default=10.0)
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
