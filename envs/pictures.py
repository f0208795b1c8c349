"""Goals as pictures that a user made.

A picture is refused with a reason wherever a planner could only have failed silently on it. A phone
stores pictures lying and says in a tag how to turn them: they are brought upright first.
"""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from envs.base import Image, Stretched, World
from envs.errors import GoalImageError
from envs.opencv import import_opencv

logger = logging.getLogger(__name__)

BLANK_STD = 1.0
_ADVICE = {  # whether frames have the camera's own shape
    True: "crop it to the camera's view, do not stretch it",
    False: "give the camera's whole view, neither cropped nor stretched",
}
HINT = "make one with `control --save-goal`, or save a frame of a data set as PNG"


def load_goal_image(path: str | Path, world: World) -> Image:
    """A user's PNG, JPEG or WebP as a goal of ``world``: uint8 (h, w, 3), RGB.

    A larger picture of the same shape is area-resampled, and a warning logged; so is one of the
    camera's own shape where the world is ``Stretched``, as its frames are. Raises
    ``GoalImageError`` for a file that is missing or no picture, is not colour and 8 bit, has
    another shape or is smaller than the world's frames, or shows nothing.
    """
    stored = _decode(Path(path))
    image = _fit(_colour(stored, path), world, path)
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
        raise GoalImageError(f"expected {path} to be a PNG, JPEG or WebP, got: {error}") from error
    if stored is None:
        raise GoalImageError(
            f"expected {path} to be a PNG, JPEG or WebP, got {encoded.size} bytes that do not "
            "decode; save it again from an image program"
        )
    return _upright(encoded, stored)


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
    return np.ascontiguousarray(stored[..., 2::-1], dtype=np.uint8)


def _upright(encoded: NDArray[np.uint8], stored: NDArray[np.generic]) -> NDArray[np.generic]:
    """The picture turned as its own tag says; OpenCV does so only where it decodes to colour."""
    cv2 = import_opencv()
    in_colour = stored.ndim == 3 and stored.shape[2] in (3, 4) and stored.dtype == np.uint8
    if not in_colour or np.any(stored[..., 3:] != 255):  # what is transparent is refused as it is
        return stored
    turned: NDArray[np.generic] = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
    return turned


def _fit(image: Image, world: World, path: str | Path) -> Image:
    """``image`` as the frame of ``world`` that shows the same."""
    size, shape = world.spec.image_size, image.shape[:2]
    camera = world.camera_size() if isinstance(world, Stretched) else size
    is_large = shape[0] >= size[0] and shape[1] >= size[1]
    is_whole = any(shape[0] * whole[1] == shape[1] * whole[0] for whole in (size, camera))
    if shape != camera and not (is_large and is_whole):
        raise GoalImageError(
            f"expected {path} to have {_wanted(size, camera)}, got {_said(shape)} (width x height);"
            f" {_ADVICE[camera == size]}"
        )
    if shape == size:
        return image
    if shape != camera:
        logger.warning("%s is %s: area-resampled to %s", path, _said(shape), _said(size))
    cv2 = import_opencv()
    resized: Image = cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA)
    return resized


def _wanted(size: tuple[int, int], camera: tuple[int, int]) -> str:
    """Which shapes can be goals, in words."""
    if camera == size:
        return f"the camera's shape, {_said(size)} pixels or larger"
    return f"the camera's shape, {_said(camera)}, or that of a frame, {_said(size)} or larger"


def _said(shape: tuple[int, ...]) -> str:
    return f"{shape[1]}x{shape[0]}"


def _check_content(image: Image, path: str | Path) -> None:
    if image.std(axis=(0, 1)).max() < BLANK_STD:
        raise GoalImageError(f"expected {path} to show something, got one flat colour; {HINT}")
    red, green, blue = (image[..., channel] for channel in range(3))
    if np.array_equal(red, green) and np.array_equal(green, blue):
        logger.warning("%s holds shades of grey alone", path)
