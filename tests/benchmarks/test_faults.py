"""The suites of faults, a few of each: their oracles find what is wrong, and nothing is."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.files.json_files import write_json
from benchmarks import random_calls
from benchmarks.faults import full_disk
from benchmarks.faults.damage import DIFFERENT, WRONG, damaged, specimen_named
from benchmarks.faults.forks import BUG, forked, limit_memory
from benchmarks.faults.full_disk import fill
from benchmarks.faults.hard_days import live
from benchmarks.faults.hostile import attack
from benchmarks.faults.jobs import Job, jobs
from benchmarks.faults.kills import kill
from benchmarks.faults.page import filled_page
from benchmarks.faults.specimens import Specimen
from benchmarks.sight import SCHEMA as SIGHT_SCHEMA

LIMIT_S = 60.0
ROOT = Path(__file__).parents[2]


def nothing(done: int) -> None:
    """Progress that nobody watches."""


def overwriting(write: Callable[[Path, bytes], Any]) -> Job:
    """Writes one file of zeros over and over; what is whole has all of them."""

    def run(place: Path) -> int:
        for _ in range(20):
            write(place / "file", bytes(10**5))
        return 0

    def kept(place: Path) -> set[str]:
        path = place / "file"
        if path.exists() and path.stat().st_size != 10**5:
            raise ValueError("half a file")
        return {"file"} if path.exists() else set()

    return Job("write", run, kept, lambda place: {"file": str(kept(place))})


@pytest.mark.parametrize("name", ["collect", "save"])
def test_kills_cost_nothing_that_was_kept(name: str, tmp_path: Path) -> None:
    tally = kill(jobs(tmp_path)[name], 12, random.Random(1), LIMIT_S, nothing)
    assert tally.kills == 12 and tally.finished and not tally.wrong


def test_kills_find_a_file_that_is_written_in_place() -> None:
    careless = overwriting(Path.write_bytes)
    tally = kill(careless, 12, random.Random(1), LIMIT_S, nothing)
    assert any("half a file" in text for text in tally.wrong)


@pytest.mark.parametrize("name", ["data set, from disk", "result", "result tables"])
def test_damage_is_refused_or_changes_nothing(name: str) -> None:
    row = damaged(specimen_named(name), 40, random.Random(2), nothing)
    assert row["damaged"] == 40 and not row["wrong"]


def test_damage_that_is_believed_is_found() -> None:
    trusting = Specimen(
        "text",
        lambda place, number: (place.mkdir(), (place / "a").write_text(f"{number}" * 9)),  # type: ignore[arg-type]
        lambda place: [(place / "a").read_bytes().hex()],
    )
    row = damaged(trusting, 10, random.Random(0), nothing)
    assert row[DIFFERENT] and all(text.startswith(WRONG) for text in row["wrong"])


def test_a_full_disk_is_said_and_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(full_disk, "can_mount", lambda: False)
    row = fill(jobs(tmp_path)["collect"], 3, random.Random(0), LIMIT_S, nothing)
    assert row["disks filled"] == row["said and ended"] == row["gone on to the end"] == 3
    assert not row["wrong"]


@pytest.mark.parametrize(
    "name",
    [
        "checkpoint: weights are a pickle",
        "weights: a tensor of 4 PB",
        "config: the world is a file of code",
        "config: the world is a module to import",
        "data set: a shard named ../…",
        "header: nested a million deep",
        "result: nested a million deep",
        "tables: HTML as a controller's name",
        "tables: a formula as a controller's name",
        "settings: TOML nested 10^5 deep",
        "settings: TOML of 10^5 tables in a row",
    ],
)
def test_hostile_files_do_no_harm(name: str) -> None:
    row = attack(name)
    assert not row["wrong"], row


def test_two_collections_at_once_leave_one_whole_data_set() -> None:
    row = live("two collects into one place", 1, nothing)
    assert row["runs"] == 1 and not row["wrong"], row


def test_a_fork_says_how_it_ended() -> None:
    def fail() -> None:
        raise KeyError("a bug")

    assert forked(lambda: [1, "a"]).gave == [1, "a"]
    assert forked(lambda: 3).code == 3
    assert forked(fail).code == BUG and "KeyError" in forked(fail).said
    assert forked(lambda: bytearray(10**9) and None, [limit_memory(100)]).code == 4
    assert forked(lambda: time.sleep(9), kill_after_s=0.1).signal == signal.SIGKILL
    assert forked(lambda: time.sleep(9), patience_s=0.1).timed_out


def test_a_page_shows_what_the_files_say(tmp_path: Path) -> None:
    row = {"job": "collect", "kills": 7, "gone on to the end": 3, "wrong": ["a | thing"]}
    content = {
        "schema": "lejepa-agent/faults-kills/1", "command": "python -m x", "rows": [row],
        "date": "2026-01-02T03:04:05", "hardware": "a machine",
    }  # fmt: skip
    write_json(tmp_path / "kills.json", content)
    page = filled_page("# A\n<!-- faults-kills:begin -->\n<!-- faults-kills:end -->\n", tmp_path)
    assert "| collect | 7 | 0 | 0 | 0 | 3 | 1 |" in page and "`python -m x` (2026-01-02" in page


def test_a_page_shows_how_calls_ended_and_what_a_camera_did(tmp_path: Path) -> None:
    made = {"command": "python -m x", "date": "2026-01-02T03:04:05", "hardware": "a machine"}
    ends = {"collect": {"done": 3, "wrong": 1}, "train": {"user": 2}}
    calls = {"schema": random_calls.SCHEMA, "calls": 6, "wrong": [{}], "ends": ends, **made}
    write_json(tmp_path / "random-calls.json", calls)
    row = {"fault": "hangs", "episodes": 5, "held in time": 3, "harmless": 1, "never": 1}
    healthy = {"episodes": 9, "stopped": 2}
    sight = {"schema": SIGHT_SCHEMA, "healthy": healthy, "rows": [row], **made}
    write_json(tmp_path / "sight-a.json", sight)
    names = ("random-calls", "sight-a")
    marks = "".join(f"<!-- {name}:begin -->\n<!-- {name}:end -->\n" for name in names)
    page = filled_page(marks, tmp_path)
    assert "6 calls, of which went wrong: 1." in page
    assert "| collect | 4 | 3 | 0 | 0 | 0 | 0 | 1 |" in page
    assert "Healthy episodes: 9, of which held at any time: 2." in page
    assert "| hangs | 5 | 0 | 3 | 1 | 0 | 0 | 1 |" in page


def test_the_tables_of_the_page_are_what_the_files_say() -> None:
    page = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    assert filled_page(page, ROOT / "results" / "reliability") == page
