"""The live page before a real browser: how soon it shows, whether ticks keep their time, how soon a
goal acts that was let go, and what reloads and a flood of messages leave behind.

    .venv/bin/python -m benchmarks.live --minutes 60 --reload-s 60 --json results/live/page.json

The browser draws in software on the same cores. Nothing else should run meanwhile.
"""

from __future__ import annotations

import argparse
import json
import os
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from agent.commands.console import note
from agent.commands.live import Live, Opener
from agent.evaluation.provenance import circumstances
from agent.files.json_files import write_json
from agent.live.link import Link
from agent.live.moment import Moment
from agent.live.page import Page
from agent.live.page_scene import GRIP_RGB
from agent.model.shipped import SHIPPED, find_checkpoint
from benchmarks.browser import HEIGHT_PX, LEFT_PX, RIGHT_PX, Served, Tab, chromium, free_port

LATE = r"(\d+) late"
SETTLING_S, WARM_UP_S, FLOOD_S = 10.0, 60.0, 10.0


def main() -> None:
    """Measure, print, and write JSON if asked."""
    arguments = _parse()
    result: dict[str, Any] = {"command": _said(arguments)}
    with chromium() as browser:
        result["first_picture_s"] = first_pictures(browser, arguments.starts)
        note(json.dumps(result))
        result["one_viewer"] = one_viewer(browser, arguments.seconds, arguments.drags)
        note(json.dumps(result["one_viewer"]))
        result["flood"] = flood(browser)
        note(json.dumps(result["flood"]))
        result["long_run"] = long_run(browser, arguments.minutes, arguments.reload_s)
        note(json.dumps(result["long_run"]))
    result |= circumstances()
    if arguments.json:
        write_json(arguments.json, result)


def first_pictures(browser: Any, starts: int) -> list[float]:
    """Seconds from the command to the camera's picture in an open browser, ``starts`` times."""
    spent = []
    for _ in range(starts):
        began_s = time.monotonic()
        served = Served()
        tab = Tab(browser, served.port)
        tab.tab.wait_for_function("() => [...document.images].some(i => i.naturalWidth > 300)")
        spent.append(round(time.monotonic() - began_s, 2))
        tab.tab.close()
        served.end()
    return spent


def one_viewer(browser: Any, seconds: float, drags: int) -> dict[str, Any]:
    """Late ticks with one viewer, and the time from letting a goal go to its acting [ms]."""
    port, shown = free_port(), _Shown()
    with Link(Opener(find_checkpoint(SHIPPED), Live(port=port))) as link:
        page = Page("127.0.0.1", port, link.ask)
        page.open(link.opening())
        thread = threading.Thread(target=shown.keep, args=(page, link), daemon=True)
        thread.start()
        tab = Tab(browser, port)
        tab.tab.wait_for_timeout(1e3 * SETTLING_S)
        first = shown.last
        tab.tab.wait_for_timeout(1e3 * seconds)
        last = shown.last
        delays_ms = [_drag_ms(tab, shown, number) for number in range(drags)]
        complaints = list(tab.complaints)
        tab.tab.close()
        shown.ended = True
        thread.join()
        page.close()
    assert first is not None and last is not None
    spent = last.traces[:, 6]
    return {
        **_late(first.tick, first.late_ticks, last.tick, last.late_ticks),
        "tick_ms": {f"p{p}": round(float(np.percentile(spent, p)), 2) for p in (50, 95)},
        "release_to_acting_ms": sorted(round(ms) for ms in delays_ms),
        "console_errors": complaints,
    }


class _Shown:
    """The last moment shown, kept by a thread that serves the page."""

    def __init__(self) -> None:
        self.last: Moment | None = None
        self.ended = False

    def keep(self, page: Page, link: Link) -> None:
        for self.last in link.moments():
            page.show(self.last)
            if self.ended:
                return


def _drag_ms(tab: Tab, shown: _Shown, number: int) -> float:
    """Drag the goal about the middle; from letting go to the last goal's acting [ms]."""
    middle = np.array([(LEFT_PX + RIGHT_PX) / 2, HEIGHT_PX / 2])
    start = np.array(tab.centre_of(GRIP_RGB))
    angle = 2.4 * (number + 1)
    end = middle + 90.0 * np.array([np.cos(angle), np.sin(angle)])
    tab.drag((start[0], start[1]), (end[0], end[1]))
    released_s = time.monotonic()
    time.sleep(1.5)
    assert shown.last is not None
    return 1e3 * (shown.last.goal_at_s - released_s)


def flood(browser: Any) -> dict[str, Any]:
    """Late ticks while one client sends nonsense and reconnects, and another sends without end."""
    import msgspec
    import viser

    served = Served()
    tab = Tab(browser, served.port)
    address, ended = f"ws://127.0.0.1:{served.port}", threading.Event()
    message = msgspec.msgpack.encode({"type": "ViewerCameraMessage", "nonsense": [1] * 50})
    sent = [0]

    def pour() -> None:
        while not ended.is_set():
            try:
                with connect(address, subprotocols=[f"viser-v{viser.__version__}"]) as client:
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
    """Memory of both processes and late ticks over ``minutes``, reloading every ``reload_s``."""
    served = Served()
    tab = Tab(browser, served.port)
    tab.tab.wait_for_timeout(1e3 * WARM_UP_S)
    first, before_mb, reloads = _told(tab), _memory_mb(served.process.pid), 0
    began_s = time.monotonic()
    while time.monotonic() - began_s < 60 * minutes:
        tab.tab.wait_for_timeout(1e3 * reload_s)
        tab.tab.reload()
        tab.wait_for(r"/tick \d/.test(text)", 60)
        reloads += 1
        note(f"{reloads}: {_memory_mb(served.process.pid)} MB")
    last, after_mb = _told(tab), _memory_mb(served.process.pid)
    tab.tab.close()
    served.end()
    return {
        **_late(*first, *last), "minutes": minutes, "reloads": reloads,
        "memory_mb": {"page": [before_mb[0], after_mb[0]], "session": [before_mb[1], after_mb[1]]},
        "console_errors": tab.complaints,
    }  # fmt: skip


def _told(tab: Tab) -> tuple[int, int]:
    """Ticks, and late ones, as the page says."""
    return int(tab.number(r"tick (\d+)")), int(tab.number(LATE))


def _late(ticks: int, late: int, ticks_then: int, late_then: int) -> dict[str, Any]:
    passed, missed = ticks_then - ticks, late_then - late
    share = round(100 * (1 - missed / max(1, passed)), 2)
    return {"ticks": passed, "late": missed, "in_time_percent": share}


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
    parser.add_argument("--starts", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=60.0, help="of watching with one viewer")
    parser.add_argument("--drags", type=int, default=10)
    parser.add_argument("--minutes", type=float, default=10.0, help="of the long run")
    parser.add_argument("--reload-s", type=float, default=10.0)
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
