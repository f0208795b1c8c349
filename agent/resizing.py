"""Frames of a camera at the size a model reads: of recordings and on a robot alike."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from agent.errors import UserError
from agent.interfaces import Image
from agent.settings import MAX_SEED, require_whole
from envs import import_opencv


def resized(frames: ArrayLike, image_size: tuple[int, int]) -> Image:
    """``frames`` uint8 (T, h', w', 3), or one (h', w', 3), at ``image_size`` (h, w) [px], as means
    over areas.

    Another shape than the camera's is stretched: that loses nothing a model needs, as long as goal
    pictures go the same way.

    Raises:
        UserError: for what is no picture or row of them, or smaller than they should become.
    """
    taken, (height, width) = np.asarray(frames), _sides(image_size)
    if taken.ndim == 3:
        one: Image = resized(taken[None], image_size)[0]
        return one
    if taken.ndim != 4 or taken.shape[3] != 3 or taken.dtype != np.uint8:
        raise UserError(f"expected frames uint8 (T, h, w, 3), got {taken.dtype} {taken.shape}")
    if taken.shape[1] < height or taken.shape[2] < width:
        raise UserError(
            f"expected frames at least {height} px high and {width} wide, got {taken.shape[1]} and "
            f"{taken.shape[2]}: choose a smaller image_size"
        )
    cv2 = import_opencv()
    area = [cv2.resize(one, (width, height), interpolation=cv2.INTER_AREA) for one in taken]
    return np.stack(area) if area else np.empty((0, height, width, 3), np.uint8)


def _sides(image_size: tuple[int, int]) -> tuple[int, int]:
    try:
        height, width = image_size
    except (TypeError, ValueError) as error:
        raise UserError(f"expected image_size (height, width), got {image_size!r}") from error
    name = "a side of image_size"
    return require_whole(height, name, 1, MAX_SEED), require_whole(width, name, 1, MAX_SEED)
