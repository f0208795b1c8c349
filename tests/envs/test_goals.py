"""Goal pictures that must pass, and each that must be refused with its reason."""

import logging
import struct
import zlib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest

from envs import (
    GoalImageError,
    Image,
    PoseError,
    load_goal_image,
    load_user_module,
    make_world,
)
from envs.gymnasium_world import GymnasiumWorld
from envs.looks import MUJOCO_LOOKS
from envs.reacher import (
    WRIST_LIMIT_RAD,
    ReacherSimulator,
    arm_camera,
    goal_pose_from_inverse_kinematics,
)

WORLD = make_world("reacher")


def frame(profile: str = "fast", size: int = 64, pose: tuple[float, float] = (0.5, -1.2)) -> Image:
    with closing(arm_camera(profile, size)) as renderer:
        return renderer.draw(pose)


def save(path: Path, rgb: np.ndarray) -> Path:
    channels = [2, 1, 0, 3][: rgb.shape[-1]] if rgb.ndim == 3 else ...
    assert cv2.imwrite(str(path), rgb[..., channels] if rgb.ndim == 3 else rgb)
    return path


@pytest.mark.parametrize("profile", MUJOCO_LOOKS)
@pytest.mark.parametrize("pose", [(0.5, -1.2), (0.0, 2.79), (-3.0, 0.0)])
def test_a_png_of_a_frame_is_that_frame(
    tmp_path: Path, profile: str, pose: tuple[float, float]
) -> None:
    image = frame(profile, pose=pose)
    loaded = load_goal_image(save(tmp_path / "goal.png", image), WORLD)
    np.testing.assert_array_equal(loaded, image)
    assert loaded.flags.c_contiguous


def test_a_jpg_is_nearly_that_frame(tmp_path: Path) -> None:
    image = frame()
    loaded = load_goal_image(save(tmp_path / "goal.jpg", image), WORLD)
    assert np.abs(loaded.astype(int) - image).mean() < 4.0


def test_an_opaque_alpha_channel_is_dropped_and_a_transparent_one_refused(tmp_path: Path) -> None:
    image = frame()
    alpha = np.full((64, 64, 1), 255, np.uint8)
    path = save(tmp_path / "goal.png", np.concatenate([image, alpha], axis=-1))
    np.testing.assert_array_equal(load_goal_image(path, WORLD), image)
    alpha[3, 3] = 0
    save(path, np.concatenate([image, alpha], axis=-1))
    with pytest.raises(GoalImageError, match="without transparency"):
        load_goal_image(path, WORLD)


TAG = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"  # orientation 6


def chunk(name: bytes, content: bytes) -> bytes:
    """Of a PNG."""
    framed = struct.pack(">I", len(content)) + name + content
    return framed + struct.pack(">I", zlib.crc32(name + content))


def tagged(content: bytes, suffix: str) -> bytes:
    """With the tag "turn me clockwise by 90 degrees" in front of what the format holds."""
    if suffix == ".png":
        return content[:33] + chunk(b"eXIf", TAG) + content[33:]
    segment = struct.pack(">H", 8 + len(TAG)) + b"Exif\0\0" + TAG
    return content[:2] + b"\xff\xe1" + segment + content[2:]


@pytest.mark.parametrize(("suffix", "alpha"), [(".jpg", False), (".png", False), (".png", True)])
def test_a_picture_that_a_phone_stored_lying_is_brought_upright(
    suffix: str, alpha: bool, tmp_path: Path
) -> None:
    image = frame()
    lying = np.rot90(image)  # counter-clockwise: turned clockwise it stands
    if alpha:
        lying = np.dstack([lying, np.full((64, 64), 255, np.uint8)])
    path = save(tmp_path / f"goal{suffix}", lying)
    path.write_bytes(tagged(path.read_bytes(), suffix))
    shown = load_goal_image(path, WORLD).astype(int)
    assert np.abs(shown - image).mean() < 3 < np.abs(shown - np.rot90(image)).mean()


def test_a_larger_square_is_resampled_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = save(tmp_path / "goal.png", frame(size=256))
    with caplog.at_level(logging.WARNING):
        loaded = load_goal_image(path, WORLD)
    assert "256x256: area-resampled to 64x64" in caplog.text
    assert np.abs(loaded.astype(int) - frame()).mean() < 2.0


def test_the_right_size_gives_no_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    load_goal_image(save(tmp_path / "goal.png", frame()), WORLD)
    assert caplog.text == ""


REFUSED: dict[str, tuple[Callable[[], np.ndarray], str]] = {
    "wide": (lambda: frame(size=80)[:64], "camera.s shape, 64x64 pixels or larger, got 80x64"),
    "small": (lambda: frame(size=48), "64x64 pixels or larger, got 48x48"),
    "grayscale": (lambda: frame()[..., 0], r"8 bits per channel, got 1 channel\(s\) of uint8"),
    "16 bits": (lambda: frame().astype(np.uint16) * 257, r"got 3 channel\(s\) of uint16"),
    "blank": (lambda: np.full((64, 64, 3), (25, 51, 76), np.uint8), "got one flat colour"),
}


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_a_picture_that_is_no_goal_is_refused_with_its_reason(tmp_path: Path, name: str) -> None:
    draw, reason = REFUSED[name]
    path = save(tmp_path / "goal.png", draw())
    with pytest.raises(GoalImageError, match=reason) as caught:
        load_goal_image(path, WORLD)
    assert str(path) in str(caught.value)
    assert "expected" in str(caught.value)


def test_a_file_that_is_no_picture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GoalImageError, match="no such file"):
        load_goal_image(tmp_path / "absent.png", WORLD)
    with pytest.raises(GoalImageError, match="no such file"):
        load_goal_image(tmp_path, WORLD)
    for name, content in {
        "empty.png": b"",
        "text.png": b"not a picture",
        "cut.png": b"\x89PNG",
    }.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(GoalImageError, match=rf"{len(content)} bytes that do not decode"):
            load_goal_image(tmp_path / name, WORLD)


def test_inverse_kinematics_puts_the_fingertip_there() -> None:
    simulator = ReacherSimulator()
    rng = np.random.default_rng(0)
    for _ in range(50):
        distance, bearing = rng.uniform(0.05, 0.24), rng.uniform(-np.pi, np.pi)
        point = distance * np.array([np.cos(bearing), np.sin(bearing)])
        poses = goal_pose_from_inverse_kinematics(point)
        assert poses.shape == (2, 2)
        assert poses[0, 1] >= 0 >= poses[1, 1]
        assert np.abs(poses[:, 1]).max() <= WRIST_LIMIT_RAD
        for pose in poses:
            simulator.reset(pose)
            found = simulator.physics.named.data.geom_xpos["finger", :2]
            np.testing.assert_allclose(found, point, atol=1e-9)


@pytest.mark.parametrize("point", [(0.0, 0.0), (0.2, 0.2), (0.03, 0.0)])
def test_a_point_out_of_reach_is_an_error(point: tuple[float, float]) -> None:
    with pytest.raises(PoseError, match=r"0\.042 to 0\.240 m from the shoulder, got 0\."):
        goal_pose_from_inverse_kinematics(point)


def test_the_edge_of_reach_is_reachable() -> None:
    np.testing.assert_allclose(goal_pose_from_inverse_kinematics((0.24, 0.0)), 0.0, atol=1e-6)


@pytest.fixture
def pendulum() -> GymnasiumWorld:
    """A camera of 96 x 48 px, of which frames of 64 x 64 are made."""
    file = Path(__file__).with_name("small_worlds.py")
    return GymnasiumWorld(load_user_module(file).Pendulum("rgb_array"), "pendulum")


def test_a_picture_of_the_environments_own_camera_is_the_frame(
    tmp_path: Path, pendulum: GymnasiumWorld, caplog: pytest.LogCaptureFixture
) -> None:
    seen = pendulum._env.render()
    loaded = load_goal_image(save(tmp_path / "goal.png", seen), pendulum)
    np.testing.assert_array_equal(loaded, pendulum.frame())
    save(tmp_path / "goal.png", loaded)  # a frame is a goal as before
    np.testing.assert_array_equal(load_goal_image(tmp_path / "goal.png", pendulum), loaded)
    assert "resampled" not in caplog.text
    save(tmp_path / "goal.png", np.kron(seen, np.ones((2, 2, 1), np.uint8)))
    large = load_goal_image(tmp_path / "goal.png", pendulum)
    assert np.abs(large.astype(int) - loaded).mean() < 2
    assert "192x96: area-resampled to 64x64" in caplog.text


@pytest.mark.parametrize("shape", [(48, 48), (48, 95), (32, 64)])
def test_what_is_a_part_of_the_cameras_view_is_told_what_the_whole_is(
    tmp_path: Path, pendulum: GymnasiumWorld, shape: tuple[int, int]
) -> None:
    save(tmp_path / "goal.png", pendulum._env.render()[: shape[0], : shape[1]])
    with pytest.raises(GoalImageError, match=r"96x48, or that of a frame, 64x64.*nor stretched"):
        load_goal_image(tmp_path / "goal.png", pendulum)
