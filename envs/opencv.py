"""The one door to OpenCV, whose wheel needs system libraries that bare machines lack."""

from __future__ import annotations

from types import ModuleType

from envs.errors import GLError


def import_opencv() -> ModuleType:
    """``cv2``, imported on first use; ``GLError`` naming the packages if it cannot load."""
    try:
        import cv2
    except ImportError as error:
        raise GLError(
            f"expected OpenCV to load, got: {error}. To fix: install the packages libgl1 and "
            "libglib2.0-0 (Debian/Ubuntu: apt-get install libgl1 libglib2.0-0), then run again"
        ) from error
    return cv2
