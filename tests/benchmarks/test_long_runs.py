"""Environments made, drawn and closed leave nothing; a leak would be seen."""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.long_runs import Held, held, make_and_close, summary

A_FEW_MODELS_MB = 40  # one has 12 MB of pictures on it
linux = pytest.mark.skipif(sys.platform != "linux", reason="Linux alone tells what is held")


@linux
@pytest.mark.parametrize("name", ["reacher", "two-room"])
def test_thirty_environments_leave_nothing(name: str, monkeypatch: pytest.MonkeyPatch,
                                           tmp_path: Path) -> None:  # fmt: skip
    make_and_close((name,), 2)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = held()
    for _ in range(3):
        make_and_close((name,), 10)
    after = held()
    assert replace(after, rss_mb=0.0) == replace(before, rss_mb=0.0)
    assert after.rss_mb < before.rss_mb + A_FEW_MODELS_MB


@linux
def test_what_is_held_is_seen(tmp_path: Path) -> None:
    before = held()
    with (tmp_path / "open").open("w"):
        assert held().files == before.files + 1


def test_a_leak_has_a_slope_and_what_is_left_is_counted() -> None:
    seen = [Held(100.0 + 2.0 * i, 5 + (i > 0), 1, 0, 3, 1) for i in range(20)]
    found = summary([i / 10 for i in range(20)], seen)
    assert found["rss_mb_per_hour"] == pytest.approx(20.0)
    assert found["left"] == {
        "files": 1,
        "threads": 0,
        "processes": 0,
        "temporary": 0,
        "contexts": 0,
    }
