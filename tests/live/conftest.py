"""One browser and one served page for all tests that look at it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from benchmarks.browser import CHROMIUM, Served, Tab, chromium


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine (Debian: apt-get install chromium)")
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    serving = Served("--start-state", "0.2", "0.8", "--goal-state", "-2.52", "1.9")
    yield serving
    serving.end()


@pytest.fixture(scope="module")
def page(browser: Any, served: Served) -> Iterator[Tab]:
    opened = Tab(browser, served.port, sharpness=0.5)
    yield opened
    opened.tab.close()  # before its server ends: a page without one complains without end
