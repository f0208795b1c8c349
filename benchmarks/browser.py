"""A live page served by a process of its own, and a headless Chromium to look at it."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np

ROOT = Path(__file__).parents[1]
CHROMIUM = shutil.which("chromium")
FLAGS = (
    "--headless", "--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
    "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
WIDTH_PX, HEIGHT_PX = 1040, 600  # small: the scene is drawn in software
LEFT_PX, RIGHT_PX = 390, WIDTH_PX - 330  # of the scene, between the panels
PATIENCE_S = 120.0  # two pages drawn in software on two busy cores take half a minute for a click
TICK = r"tick (\d+)"
CONNECTION = ("Connecting", "Connected", "Disconnected")  # how viser begins to tell of it
TICKING = r"/tick \d/.test(text)"
PICTURED = "[...document.images].some(image => image.naturalWidth > 300)"
HARMLESS = ("Unable to preventDefault inside passive event listener invocation.",)  # viser's own


def free_port() -> int:
    """A port nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Served:
    """``python run_agent.py live`` with ``flags``; its address is its ``first_line``."""

    def __init__(self, *flags: str) -> None:
        self.port = free_port()
        self.process = subprocess.Popen(
            [sys.executable, "run_agent.py", "live", "--port", str(self.port), *flags],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        assert self.process.stdout is not None
        self.first_line = self.process.stdout.readline()

    @property
    def session_id(self) -> int:
        """Of the process in which the world lives; it was started last."""
        told = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return int(told.split()[-1])

    def end(self) -> str:
        """Ctrl-C, if it is still there; what it said after its first line."""
        if self.process.poll() is None:
            self.process.send_signal(2)
        said, _ = self.process.communicate(timeout=30)
        return said


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser; RuntimeError where there is none."""
    from playwright.sync_api import sync_playwright

    if CHROMIUM is None:
        raise RuntimeError("expected chromium (Debian: apt-get install chromium), got none")
    with sync_playwright() as running:
        opened = running.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        try:
            yield opened
        finally:
            opened.close()


class Tab:
    """A tab on the page at ``port``, what its console complained about, how it was connected.

    It is there once the page is as ``until`` says. ``sharpness`` of the scene: pixels drawn by
    pixels shown, along a side.
    """

    def __init__(
        self, browser: Any, port: int, width_px: int = WIDTH_PX, height_px: int = HEIGHT_PX,
        until: str = TICKING, sharpness: float = 1.0,
    ) -> None:  # fmt: skip
        self.complaints: list[str] = []
        self.connection: list[str] = []
        self.tab = browser.new_page(viewport={"width": width_px, "height": height_px})
        self.tab.set_default_timeout(1e3 * PATIENCE_S)
        self._right_px = width_px - WIDTH_PX + RIGHT_PX
        self.tab.on("console", self._note)
        self.tab.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.tab.goto(f"http://127.0.0.1:{port}/?fixedDpr={sharpness:g}")
        self.wait_for(until)
        self.close_notices()

    def wait_for(self, condition: str, timeout_s: float = PATIENCE_S) -> None:
        """Until the page's text fulfils a condition in JavaScript on ``text``."""
        self._awaited(condition, timeout_s)

    def _awaited(self, value: str, timeout_s: float = PATIENCE_S) -> Any:
        """What a JavaScript expression on the page's ``text`` gives, once that is true."""
        from playwright.sync_api import TimeoutError as WaitedError

        inside = f"() => {{ const text = document.body.innerText; return {value}; }}"
        try:
            found = self.tab.wait_for_function(inside, timeout=1e3 * timeout_s, polling=100)
        except WaitedError as error:
            shown = self.tab.inner_text("body")[:300]
            raise AssertionError(
                f"expected {value} within {timeout_s:g} s, got {shown!r} after {self.connection}"
            ) from error
        return found.json_value()

    def click(self, role: str, name: str) -> None:
        """At once, wherever it is: a page that is drawn in software takes seconds to hold still."""
        self._press(self.tab.get_by_role(role, name=name, exact=True))

    def turn_to(self, name: str) -> None:
        """Another tab of controls, by the keyboard: with the pointer it would be dragged."""
        self.tab.get_by_role("tab", name=name, exact=True).press("Enter")
        self.tab.get_by_role("tab", name=name, exact=True, selected=True).wait_for(state="attached")

    def choose(self, label: str, option: str) -> None:
        """One of the options of a list."""
        self._press(self.tab.get_by_label(label, exact=True))
        self.click("option", option)

    def _press(self, element: Any) -> None:
        element.evaluate("element => element.click()")

    def close_notices(self) -> None:
        """They lie over the scene: the browser draws in software, and viser says so."""
        self.tab.evaluate(
            "document.querySelectorAll('.mantine-Notification-closeButton').forEach(b => b.click())"
        )

    def drop(self, content: bytes) -> None:
        """A picture file as the goal."""
        self.turn_to("files")
        file = {"name": "my.png", "mimeType": "image/png", "buffer": content}
        self.tab.locator("input[type=file]").first.set_input_files(file)

    def later(self) -> str:
        """The condition that half a second has passed there since the text it shows now."""
        return rf"Number((text.match(/tick (\d+)/) || [0, 0])[1]) > {self.number(TICK) + 12}"

    def number(self, pattern: str) -> float:
        """The first group of ``pattern`` in the page's text, once it is there.

        A page that has lost its connection shows nothing for a while when it is back.
        """
        return float(self._awaited(f"(text.match(/{pattern}/) || [])[1]"))

    def picture(self) -> Any:
        """What is on the screen, RGB."""
        encoded = np.frombuffer(self.tab.screenshot(timeout=60_000), np.uint8)
        return cv2.cvtColor(cv2.imdecode(encoded, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)

    def wait_for_grip(self, rgb: tuple[int, int, int], place: Any, within_px: float) -> None:
        """Until what has that colour is at ``place`` (2,)."""
        for _ in range(600):
            if np.linalg.norm(np.array(self.centre_of(rgb)) - place) < within_px:
                return
            self.tab.wait_for_timeout(100)
        raise AssertionError(f"expected it at {place}, got {self.centre_of(rgb)}")

    def centre_of(self, rgb: tuple[int, int, int]) -> tuple[float, float]:
        """Where in the scene the pixels of a hue are, on average, once there are some."""
        wanted = int(cv2.cvtColor(np.uint8([[rgb]]), cv2.COLOR_RGB2HSV)[0, 0, 0])
        for _ in range(200):
            scene = self.picture()[:, LEFT_PX : self._right_px]
            hue, strength, _ = cv2.split(cv2.cvtColor(scene, cv2.COLOR_RGB2HSV).astype(int))
            rows, columns = np.nonzero((abs(hue - wanted) < 10) & (strength > 90))
            if len(rows) > 20:
                return LEFT_PX + float(columns.mean()), float(rows.mean())
            self.tab.wait_for_timeout(300)
        raise AssertionError("nothing of that colour is on the screen")

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Press at ``start``, let go at ``end`` [px]."""
        mouse = self.tab.mouse
        mouse.move(*start)
        mouse.down()
        for share in (0.2, 0.5, 0.8, 1.0):
            mouse.move(*(a + share * (b - a) for a, b in zip(start, end, strict=True)))
            self.tab.wait_for_timeout(80)
        mouse.up()

    def _note(self, message: Any) -> None:
        if message.text.startswith(CONNECTION):
            self.connection.append(message.text)
        if message.type == "error" and message.text not in HARMLESS:
            self.complaints.append(message.text)
