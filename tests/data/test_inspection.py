"""Facts and pictures of a data set."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from agent.data import RolloutWriter, inspect_dataset, verify_dataset
from agent.data.episodes import Episodes
from agent.data.inspection import state_facts
from agent.errors import UserError
from agent.reporting.preview import contact_sheet, preview_dataset, save_frame, side_by_side
from envs import Column, WorldSpec


def test_facts_add_up(real_store):
    facts = inspect_dataset(real_store.directory)
    assert (facts["episodes"], facts["frames"], facts["shards"]) == (6, 126, 3)
    assert (facts["look"], facts["behaviour"], facts["seed"]) == ("fast", "restless", 3)
    assert facts["env step [s]"] == pytest.approx(0.04)
    files = (real_store.directory / "shards").iterdir()
    assert facts["disk [MB]"] == pytest.approx(sum(f.stat().st_size for f in files) / 1e6, abs=0.06)
    assert verify_dataset(real_store.directory)["frames"] == 126


def test_a_header_says_what_drew_it(real_store):
    told = real_store.header.drawn_with
    assert {"mujoco", "dm-control", "gl", "gl_renderer", "gl_vendor"} <= told.keys()
    assert all(told.values())


def test_coverage_counts_the_bins_of_a_known_range():
    angle = Column("turn", "rad", period=2 * np.pi)
    degrees = np.array([5.0, 365, -175])  # a full turn more changes nothing
    assert state_facts(angle, np.deg2rad(degrees)) == {"turn coverage": round(2 / 36, 3)}
    place = Column("place", "m", low=-1.0, high=1.0)
    assert state_facts(place, np.linspace(-1, 1, 361)) == {"place coverage": 1.0}
    assert state_facts(place, np.array([7.0])) == {"place coverage": round(1 / 36, 3)}


def test_a_number_without_a_range_is_told_by_its_size():
    facts = state_facts(Column("speed", "m/s"), np.array([-1.0, 3.0]))
    assert facts["speed mean abs [m/s]"] == 2.0
    assert facts["speed p95 abs [m/s]"] == pytest.approx(2.9)


@pytest.mark.parametrize("unit", ["m/s", "rad/s", "m", "N", "m/s²", "px/s", "1/min", "s"])
def test_a_unit_is_shown_as_its_column_has_it(unit):
    sizes = [f"v_x mean abs [{unit}]", f"v_x p95 abs [{unit}]"]
    assert list(state_facts(Column("v_x", unit), np.ones(3))) == sizes
    assert list(state_facts(Column("v_x"), np.ones(3))) == ["v_x mean abs", "v_x p95 abs"]


def test_contact_sheet_shows_first_and_last_frames(real_store, tmp_path):
    sheet = tmp_path / "new" / "p.png"
    assert preview_dataset(real_store.directory, sheet, episodes=2, frames=3) == [0, 5]
    picture = cv2.imread(str(sheet))[..., ::-1]
    assert picture.shape == (2 * 68, 3 * 68, 3)
    pixels = real_store.load().pixels
    np.testing.assert_array_equal(picture[2:66, 2:66], pixels[0])
    np.testing.assert_array_equal(picture[70:134, -66:-2], pixels[-1])


def test_video_has_every_moment(real_store, tmp_path):
    assert preview_dataset(real_store.directory, tmp_path / "p.mp4") == list(range(6))
    video = cv2.VideoCapture(str(tmp_path / "p.mp4"))
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) == 21
    assert video.get(cv2.CAP_PROP_FPS) == pytest.approx(25)


@pytest.mark.parametrize(("frame", "row"), [(3, 21 + 3), (-1, 41), (-21, 21)])
def test_one_frame_is_saved_as_it_was_recorded(real_store, tmp_path, frame, row):
    saved = cv2.imread(str(save_frame(real_store.directory, tmp_path / "goal.png", 1, frame)))
    np.testing.assert_array_equal(saved[..., ::-1], real_store.load().pixels[row])


@pytest.mark.parametrize(("episode", "frame"), [(6, 0), (-1, 0), (0, 21), (0, -22)])
def test_a_frame_that_is_not_there_is_refused(real_store, tmp_path, episode, frame):
    with pytest.raises(UserError, match=r"expected --(episode|frame) from 0 to"):
        save_frame(real_store.directory, tmp_path / "goal.png", episode, frame)


def test_an_unknown_picture_format_is_refused(real_store, tmp_path):
    with pytest.raises(UserError, match=r"\.png or \.webm"):
        preview_dataset(real_store.directory, tmp_path / "p.avi")


def test_episodes_of_unequal_length_are_shown_whole():
    lengths = np.array([3, 7])
    pixels = np.arange(10, dtype=np.uint8)[:, None, None, None] * np.ones((1, 16, 16, 3), np.uint8)
    nothing = np.zeros((10, 1))
    recorded = Episodes(pixels, nothing.astype(np.float32), nothing, np.array([0, 3]), lengths)
    sheet = contact_sheet(recorded, [0, 1], frames=5)
    assert sheet.shape == (2 * 20, 5 * 20, 3)
    assert (sheet[2, 2, 0], sheet[2, -3, 0], sheet[-3, 2, 0], sheet[-3, -3, 0]) == (0, 2, 3, 9)
    film = side_by_side(recorded, [0, 1])
    assert film[:, 2, 2, 0].tolist() == [0, 1, 2, 2, 2, 2, 2]
    assert film[:, 2, -3, 0].tolist() == [3, 4, 5, 6, 7, 8, 9]


def test_a_turn_that_is_stopped_is_covered_between_its_stops():
    column = Column("wrist", "rad", 2 * np.pi, -2.8, 2.8)
    assert state_facts(column, np.linspace(-2.8, 2.8, 4000))["wrist coverage"] == 1.0


def test_what_was_recorded_twice_is_counted(tmp_path):
    spec = WorldSpec("recorded:twice", "drawn", (16, 16), 1, 0.1)
    shades = np.arange(5, dtype=np.uint8).repeat(2)  # a camera at half the pace of the actions
    frames = shades[:, None, None, None] * np.ones((1, 16, 16, 3), np.uint8)
    with RolloutWriter(tmp_path, spec, episodes_per_shard=2) as writer:
        for brighter in (0, 10, 0):
            writer.add(frames + np.uint8(brighter), np.zeros((9, 1)))
    facts = verify_dataset(tmp_path)
    assert facts["frames that are the one before"] == f"{5 / 9:.1%}"
    assert facts["episodes that are another one"] == 1
