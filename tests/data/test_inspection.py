"""Facts and pictures of a data set."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from agent.data import inspect_dataset, preview_dataset, verify_dataset
from agent.data.inspection import coverage_facts, speed_facts
from agent.errors import UserError


def test_facts_add_up(real_store):
    facts = inspect_dataset(real_store.directory)
    assert (facts["episodes"], facts["frames"], facts["shards"]) == (6, 126, 3)
    assert (facts["render_profile"], facts["behaviour"], facts["seed"]) == ("fast", "ou", 3)
    assert facts["env_step_s"] == pytest.approx(0.04)
    files = (real_store.directory / "shards").iterdir()
    assert facts["disk_mb"] == pytest.approx(sum(f.stat().st_size for f in files) / 1e6, abs=0.06)
    assert verify_dataset(real_store.directory)["frames"] == 126


def test_coverage_of_known_angles():
    degrees = np.array([[5.0, -155], [365, 155], [-175, -170]])  # a full turn more changes nothing
    facts = coverage_facts(np.deg2rad(degrees))
    assert facts["shoulder_coverage"] == pytest.approx(2 / 36, abs=1e-3)
    assert facts["wrist_coverage"] == pytest.approx(2 / 32, abs=1e-3)
    assert facts["pose_coverage"] == pytest.approx(3 / (36 * 32), abs=1e-3)
    grid = np.stack(np.meshgrid(np.arange(-175, 180, 10), np.arange(-155, 160, 10)), -1)
    assert coverage_facts(np.deg2rad(grid.reshape(-1, 2)))["pose_coverage"] == 1.0


def test_speeds_of_known_velocities():
    facts = speed_facts(np.array([[1.0, -3.0], [-1.0, 3.0]]))
    assert facts["mean_speed_rad_s"] == 2.0
    assert facts["wrist_p95_speed_rad_s"] == 3.0


def test_contact_sheet_shows_first_and_last_frames(real_store, tmp_path):
    sheet = preview_dataset(real_store.directory, tmp_path / "new" / "p.png", episodes=2, frames=3)
    picture = cv2.imread(str(sheet))[..., ::-1]
    assert picture.shape == (2 * 68, 3 * 68, 3)
    pixels = real_store.load().pixels
    np.testing.assert_array_equal(picture[2:66, 2:66], pixels[0])
    np.testing.assert_array_equal(picture[70:134, -66:-2], pixels[-1])


def test_video_has_every_moment(real_store, tmp_path):
    video = cv2.VideoCapture(str(preview_dataset(real_store.directory, tmp_path / "p.mp4")))
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) == 21
    assert video.get(cv2.CAP_PROP_FPS) == pytest.approx(25)


def test_an_unknown_picture_format_is_refused(real_store, tmp_path):
    with pytest.raises(UserError, match=r"\.png, \.mp4 or \.webm"):
        preview_dataset(real_store.directory, tmp_path / "p.gif")
