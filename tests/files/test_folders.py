"""Nothing is written into a folder that holds something else of ours, or where another writes."""

from __future__ import annotations

from pathlib import Path

import pytest

import run_agent
from agent.errors import UserError
from agent.files.bundle import MANIFEST, write_bundle
from agent.files.folders import DATASET_MARK, DEMO, DEMO_MARK, RUN, require_kind, writing_into
from agent.files.lock import writing_lock

HOLDINGS = {
    "data set": DATASET_MARK,
    "checkpoint": MANIFEST,
    "demo": DEMO_MARK,
    "run": "checkpoint",
}
COMMANDS = {
    "train": ["train", "--data", "nowhere"],
    "baseline": ["baseline"],
    "clone": ["baseline", "--algorithm", "clone", "--data", "nowhere"],
    "demo": ["demo"],
}


def hold(place: Path, kind: str) -> dict[str, bytes]:
    if kind == "run":
        write_bundle(place / "checkpoint", {"config.json": b"{}"})
    elif kind == "checkpoint":
        write_bundle(place, {"config.json": b"{}"})
    else:
        place.mkdir()
        (place / HOLDINGS[kind]).write_bytes(b"{}")
    return content(place)


def content(place: Path) -> dict[str, bytes]:
    files = (path for path in place.rglob("*") if path.is_file())
    return {str(path.relative_to(place)): path.read_bytes() for path in files}


@pytest.mark.parametrize("kind", HOLDINGS)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_leaves_other_things_of_ours_alone(
    tmp_path: Path, command: str, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "place"
    before = hold(place, kind)
    if command == "demo" and kind == "demo":
        return  # it is continued, or refused for its settings
    assert run_agent.main([*COMMANDS[command], "--out", str(place)]) in (2, 3)
    if (command, kind) != ("train", "run"):  # which misses its data first
        said = capsys.readouterr().err
        assert kind in said and "--out" in said
    assert content(place) == before


@pytest.mark.parametrize("command", ["train", "baseline", "demo"])  # clone reads its data first
def test_two_at_once_are_refused(
    tmp_path: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with writing_lock(tmp_path / "place"):
        assert run_agent.main([*COMMANDS[command], "--out", str(tmp_path / "place")]) == 2
    assert "is writing into" in capsys.readouterr().err


def test_what_is_no_mark_of_ours_is_in_nobodys_way(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    for kind in (RUN, DEMO):
        with writing_into(tmp_path, kind):
            pass
    (tmp_path / DEMO_MARK).touch()
    require_kind(tmp_path, DEMO)
    with pytest.raises(UserError, match=r"got a demo in .*choose another --out"):
        require_kind(tmp_path, RUN)
