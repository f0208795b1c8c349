"""Frames of one's own: from a film, and brought to one size."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from agent import read_film, resized
from agent.errors import UserError


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """Nine frames of 32 x 48 px, each a little redder than the one before, left half green."""
    writer = cv2.VideoWriter(str(tmp_path / "film.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 10,
                             (48, 32))  # fmt: skip
    for number in range(9):
        frame = np.zeros((32, 48, 3), np.uint8)
        frame[:, 24:, 2] = 20 * number  # blue first: red is last
        frame[:, :24, 1] = 200
        writer.write(frame)
    writer.release()
    return tmp_path / "film.avi"


@pytest.mark.parametrize(("every", "numbers"), [(1, range(9)), (4, (0, 4, 8))])
def test_frames_come_in_order_in_rgb_and_at_size(film: Path, every: int, numbers: range) -> None:
    frames = read_film(film, (16, 24), every)
    assert frames.shape == (len(numbers), 16, 24, 3) and frames.dtype == np.uint8
    red = frames[:, 4:12, 16:22, 0].mean((1, 2))
    np.testing.assert_allclose(red, [20 * number for number in numbers], atol=12)
    assert frames[:, 4:12, 2:8, 1].min() > 180  # not mirrored, and green stays green


def test_what_is_no_film_is_named(film: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file"):
        read_film(tmp_path / "absent.mp4", (16, 16))
    (tmp_path / "text.mp4").write_text("no film")
    with pytest.raises(UserError, match="nothing that OpenCV can decode"):
        read_film(tmp_path / "text.mp4", (16, 16))
    with pytest.raises(UserError, match="at least 64 px high and 64 wide, got 32 and 48"):
        read_film(film, (64, 64))
    for every in (0, 2.5, float("nan")):
        with pytest.raises(UserError, match=f"every, frames of which one is kept.*got {every}"):
            read_film(film, (16, 16), every)  # type: ignore[arg-type]


def test_a_film_that_lost_frames_is_refused(film: Path, caplog: pytest.LogCaptureFixture) -> None:
    whole = film.read_bytes()
    begins = [found.start() for found in re.finditer(b"\xff\xd8\xff", whole)]

    def without(number: int) -> None:
        begin = begins[number]
        film.write_bytes(whole[:begin] + bytes(200) + whole[begin + 200 :])

    without(8)  # some films count one that is none
    assert len(read_film(film, (16, 16))) == 8
    assert "says it has 9 frames, of which 8 could be read" in caplog.text
    without(4)
    with pytest.raises(UserError, match=r"expected the 9 frames that .* says it has, got 4"):
        read_film(film, (16, 16))


def test_a_small_frame_has_the_means_of_a_large_one() -> None:
    frames = np.random.default_rng(0).integers(0, 256, (2, 24, 40, 3), dtype=np.uint8)
    means = frames.reshape(2, 12, 2, 10, 4, 3).mean((2, 4))
    np.testing.assert_allclose(resized(frames, (12, 10)), means, atol=0.51)
    np.testing.assert_array_equal(resized(frames, (24, 40)), frames)
    assert resized(frames[:0], (12, 10)).shape == (0, 12, 10, 3)
    with pytest.raises(UserError, match=r"float64 \(2, 24, 40, 3\)"):
        resized(frames / 2, (12, 10))


def test_a_frame_lost_in_the_middle_is_not_one_too_many_at_the_end(tmp_path: Path) -> None:
    path, rng = tmp_path / "film.avi", np.random.default_rng(0)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 20, (64, 48))
    for number in range(30):
        writer.write(rng.integers(0, 60, (48, 64, 3), np.uint8) + np.uint8(6 * number))
    writer.release()
    content = bytearray(path.read_bytes())
    begins = [found.start() for found in re.finditer(b"00dc", bytes(content))][:30]
    begin, end = begins[10] + 8, begins[11]
    content[begin:end] = bytes(end - begin)  # what is no picture is left out by the decoder
    path.write_bytes(bytes(content))
    film, read = cv2.VideoCapture(str(path)), 0
    while film.grab():
        read += 1
    if read != 29:
        pytest.skip(f"this decoder reads {read} of 30")
    with pytest.raises(UserError, match="expected the 30 frames"):
        read_film(path, (16, 16))


def test_one_picture_is_resized_as_a_row_of_them_is() -> None:
    frames = np.random.default_rng(0).integers(0, 256, (2, 48, 64, 3), dtype=np.uint8)
    small = resized(frames, (24, 16))
    assert small.shape == (2, 24, 16, 3)
    np.testing.assert_array_equal(resized(frames[1], (24, 16)), small[1])
    for size in ((24.0, 16), (0, 16), 24, (24, 16, 3)):
        with pytest.raises(UserError, match=r"expected (a side of )?image_size"):
            resized(frames, size)  # type: ignore[arg-type]
