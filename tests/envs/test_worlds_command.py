"""``worlds`` lists what is asked for, and draws what opens."""

from pathlib import Path

import cv2
import pytest

from run_agent import main


def test_a_sheet_has_a_picture_of_each_world(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sheet = tmp_path / "worlds.png"
    assert main(["worlds", "two-room", "two-room-swept", "--sheet", str(sheet)]) == 0
    assert "two-room-swept" in capsys.readouterr().out
    assert cv2.imread(str(sheet)).shape == (192 + 24 + 6, 2 * (192 + 12), 3)


def test_a_users_world_is_what_its_class_says(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["worlds", "examples/own_world.py:Crane"]) == 0
    assert "Trolley and hook" in " ".join(capsys.readouterr().out.split())


def test_a_world_that_does_not_open_is_listed_with_the_reason(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["worlds", "two-rom"]) == 2
    assert "did you mean 'two-room'" in capsys.readouterr().err


def test_a_sheet_that_is_no_png_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["worlds", "two-room", "--sheet", str(tmp_path / "sheet.txt")]) == 2
    assert ".png" in capsys.readouterr().err
