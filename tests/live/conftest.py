"""A live page served from a process of its own, and a browser to look at it."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium")
CHROMIUM_FLAGS = (
    "--headless", "--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
    "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
SIZE = {"width": 960, "height": 600}
HARMLESS = ("Unable to preventDefault inside passive event listener invocation.",)  # viser's own
PANEL_LEFT_PX = 600  # of the screen; right of it are numbers and pictures


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Served:
    """``python run_agent.py live`` and the words it has said."""

    def __init__(self, *flags: str) -> None:
        self.port = free_port()
        self.process = subprocess.Popen(
            [sys.executable, "run_agent.py", "live", "--port", str(self.port), *flags],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        assert self.process.stdout is not None
        self.first_line = self.process.stdout.readline()

    def end(self) -> str:
        """Ctrl-C; everything it said after its first line."""
        self.process.send_signal(2)
        said, _ = self.process.communicate(timeout=20)
        return said


class Seen:
    """A tab on the page, with what its console complained about."""

    def __init__(self, browser: Any, port: int) -> None:
        self.tab, self.complaints = browser.new_page(viewport=SIZE), []
        self.tab.on("console", self._note)
        self.tab.on("pageerror", lambda e: self.complaints.append(str(e)))
        self.tab.goto(f"http://127.0.0.1:{port}/")
        self.tab.wait_for_selector("text=/tick [0-9]/", timeout=30_000)

    def _note(self, message: Any) -> None:
        if message.type == "error" and message.text not in HARMLESS:
            self.complaints.append(message.text)

    def text(self) -> str:
        return self.tab.inner_text("body")

    def number(self, pattern: str) -> float:
        found = re.search(pattern, self.text())
        assert found, f"no {pattern} in {self.text()}"
        return float(found[1])

    def wait_for(self, condition: str, timeout_s: float = 20.0) -> None:
        """Until the page's text fulfils a condition in JavaScript on ``text``."""
        inside = f"() => {{ const text = document.body.innerText; return {condition}; }}"
        self.tab.wait_for_function(inside, timeout=1e3 * timeout_s)

    def centre_of(self, rgb: tuple[int, int, int]) -> tuple[float, float]:
        """Where on the screen the pixels of a hue are, on average, once there are some."""
        wanted = int(cv2.cvtColor(np.uint8([[rgb]]), cv2.COLOR_RGB2HSV)[0, 0, 0])
        for _ in range(20):
            encoded = np.frombuffer(self.tab.screenshot(), np.uint8)
            picture = cv2.cvtColor(cv2.imdecode(encoded, cv2.IMREAD_COLOR), cv2.COLOR_BGR2HSV)
            hue, strength, _ = cv2.split(picture[:, :PANEL_LEFT_PX].astype(int))
            rows, columns = np.nonzero((abs(hue - wanted) < 6) & (strength > 150))
            if len(rows) > 20:
                return float(columns.mean()), float(rows.mean())
            self.tab.wait_for_timeout(300)
        raise AssertionError("nothing of that colour is on the screen")

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        mouse = self.tab.mouse
        mouse.move(*start)
        mouse.down()
        for share in (0.2, 0.5, 0.8, 1.0):
            mouse.move(*(a + share * (b - a) for a, b in zip(start, end, strict=True)))
            self.tab.wait_for_timeout(80)
        mouse.up()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine (Debian: apt-get install chromium)")
    with playwright.sync_playwright() as running:
        opened = running.chromium.launch(executable_path=CHROMIUM, args=list(CHROMIUM_FLAGS))
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    serving = Served()
    yield serving
    if serving.process.poll() is None:
        serving.end()
