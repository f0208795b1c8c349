"""Whether a goal picture shows the arm, and in its colours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from envs.base import Image
from envs.errors import GoalImageError

# In every look the arm is yellow to orange (red far above blue) on a blue ground.
WARM_MARGIN = 25
ARM_SHARE = (0.004, 0.1)  # of the pixels; the arm covers 0.01 to 0.02, a visible target as much


def check_shows_arm(image: Image, path: str) -> None:
    """``GoalImageError`` unless ``image`` (h, w, 3) shows the arm, red and blue the right way."""
    warmth = image[..., 0].astype(np.int16) - image[..., 2]  # red above blue: the arm
    if _shows_arm(warmth):
        return
    if np.array_equal(image[..., 0], image[..., 1]) and not warmth.any():
        raise GoalImageError(f"expected {path} in colour, got shades of grey")
    if _shows_arm(-warmth):
        raise GoalImageError(
            f"expected {path} with the yellow arm on blue ground, got the colours the other way "
            "round: red and blue are swapped (BGR written as RGB); swap the first and last channel"
        )
    raise GoalImageError(f"expected {path} to show the arm, got no yellow arm on blue")


def _shows_arm(warmth: NDArray[np.int16]) -> bool:
    """A few warm pixels on a ground that is cold on the whole."""
    least, most = ARM_SHARE
    share = float(np.mean(warmth > WARM_MARGIN))
    return least <= share <= most and float(np.median(warmth)) < 0
