"""Goals from outside: a picture the user made, or a point the fingertip shall reach.

A picture is refused with a reason wherever a planner could only have failed silently on it.
"""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from envs.angles import WRIST_LIMIT_RAD, finite_pair
from envs.errors import GoalImageError, PoseError
from envs.opencv import import_opencv

logger = logging.getLogger(__name__)

Array = NDArray[np.float64]
Image = NDArray[np.uint8]

LINK_M = 0.12  # both links, shoulder to wrist and wrist to fingertip
MAX_REACH_M = 2.0 * LINK_M
MIN_REACH_M = 2.0 * LINK_M * float(np.cos(WRIST_LIMIT_RAD / 2.0))  # the wrist cannot fold fully

# In every profile the arm is yellow to orange (red far above blue) on a blue ground.
WARM_MARGIN = 25
ARM_SHARE = (0.004, 0.1)  # of the pixels; the arm covers 0.01 to 0.02, a visible target as much
BLANK_STD = 1.0
HINT = "render one with `control --goal-qpos`, or save a frame of a dataset as PNG"


def load_goal_image(path: str | Path, size: int) -> Image:
    """A user's PNG or JPG as a goal: uint8 (size, size, 3), RGB.

    A larger square picture is area-resampled, and a warning logged. Raises ``GoalImageError`` for
    a file that is missing or no picture, is not square, colour and 8 bit, is smaller than
    ``size``, shows no arm, or has red and blue swapped.
    """
    stored = _decode(Path(path))
    image = _fit(_colour(stored, path), size, path)
    _check_content(image, path)
    return image


def _decode(path: Path) -> NDArray[np.generic]:
    cv2 = import_opencv()
    if not path.is_file():
        raise GoalImageError(f"expected a goal picture at {path}, got no such file; {HINT}")
    encoded = np.frombuffer(path.read_bytes(), dtype=np.uint8)
    try:
        stored = cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED) if encoded.size else None
    except cv2.error as error:
        raise GoalImageError(f"expected {path} to be a PNG or JPG, got: {error}") from error
    if stored is None:
        raise GoalImageError(
            f"expected {path} to be a PNG or JPG, got {encoded.size} bytes that do not decode; "
            "save it again from an image program"
        )
    decoded: NDArray[np.generic] = stored
    return decoded


def _colour(stored: NDArray[np.generic], path: str | Path) -> Image:
    """OpenCV's decoded array, (h, w) or (h, w, c) blue first, as RGB (h, w, 3)."""
    channels = stored.shape[2] if stored.ndim == 3 else 1
    if channels < 3 or stored.dtype != np.uint8:
        raise GoalImageError(
            f"expected {path} in colour with 8 bits per channel, got {channels} channel(s) of "
            f"{stored.dtype}; save it as an RGB PNG"
        )
    if channels == 4 and np.any(stored[..., 3] != 255):
        raise GoalImageError(
            f"expected {path} without transparency, got an alpha channel below 255; "
            "flatten it onto its background"
        )
    image: Image = np.ascontiguousarray(stored[..., 2::-1], dtype=np.uint8)
    return image


def _fit(image: Image, size: int, path: str | Path) -> Image:
    height, width = image.shape[:2]
    if height != width or height < size:
        raise GoalImageError(
            f"expected {path} to be square and at least {size}x{size} pixels, got {width}x{height} "
            "(width x height); crop it to the camera's square view, do not stretch it"
        )
    if height == size:
        return image
    logger.warning("%s is %dx%d: area-resampled to %dx%d", path, width, height, size, size)
    cv2 = import_opencv()
    resized: Image = cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)
    return resized


def _check_content(image: Image, path: str | Path) -> None:
    if image.std(axis=(0, 1)).max() < BLANK_STD:
        raise GoalImageError(f"expected {path} to show the arm, got one flat colour; {HINT}")
    if np.array_equal(image[..., 0], image[..., 1]) and np.array_equal(
        image[..., 1], image[..., 2]
    ):
        raise GoalImageError(f"expected {path} in colour, got shades of grey; {HINT}")
    warmth = image[..., 0].astype(np.int16) - image[..., 2]  # red above blue: the arm
    if _shows_arm(warmth):
        return
    if _shows_arm(-warmth):
        raise GoalImageError(
            f"expected {path} with the yellow arm on blue ground, got the colours the other way "
            "round: red and blue are swapped (BGR written as RGB); swap the first and last channel"
        )
    raise GoalImageError(f"expected {path} to show the arm, got no yellow arm on blue; {HINT}")


def _shows_arm(warmth: NDArray[np.int16]) -> bool:
    """A few warm pixels on a ground that is cold on the whole."""
    least, most = ARM_SHARE
    share = float(np.mean(warmth > WARM_MARGIN))
    return least <= share <= most and float(np.median(warmth)) < 0


def goal_pose_from_inverse_kinematics(fingertip_xy_m: ArrayLike) -> Array:
    """Both poses (2, 2) whose fingertip is at a point (2,) from the shoulder, in metres.

    The first bends the wrist counter-clockwise (wrist ≥ 0), the second clockwise. Raises
    ``PoseError`` for a point outside the ring the arm can reach. With equal links of length l at
    distance d: cos(wrist) = d² / (2 l²) − 1, and the shoulder is half a wrist angle off the point.
    """
    x_m, y_m = finite_pair(fingertip_xy_m, "fingertip_xy_m")
    distance_m = float(np.hypot(x_m, y_m))
    if not MIN_REACH_M - 1e-9 <= distance_m <= MAX_REACH_M + 1e-9:
        raise PoseError(
            f"expected a fingertip {MIN_REACH_M:.3f} to {MAX_REACH_M:.3f} m from the shoulder, "
            f"got {distance_m:.3f} m"
        )
    wrist = 2.0 * np.arccos(np.clip(distance_m / MAX_REACH_M, -1.0, 1.0))
    bearing = np.arctan2(y_m, x_m)
    return np.array([[bearing - wrist / 2.0, wrist], [bearing + wrist / 2.0, -wrist]])
