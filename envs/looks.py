"""How frames are drawn, by name; every dataset and checkpoint records which look it saw.

``dmc``: dm_control's default image of camera 0 with the target hidden, byte for byte.
``fast``: the same scene without shadow map, multisampling, reflection and skybox, drawn at twice
the size and area-averaged down.
"""

from __future__ import annotations

from collections.abc import Collection
from numbers import Integral

from envs.errors import ProfileError

FAST = "fast"
MUJOCO_LOOKS = ("dmc", FAST)
MIN_SIZE = 8
MAX_SIZE = 1024


def check_look(look: str, size: int, known: Collection[str] = MUJOCO_LOOKS) -> None:
    """``ProfileError`` unless the look is ``known`` and ``size``, a side in px, a sensible one."""
    if look not in known:
        raise ProfileError(f"expected a look of {list(known)}, got {look!r}")
    if not isinstance(size, Integral) or not MIN_SIZE <= size <= MAX_SIZE:
        raise ProfileError(
            f"expected an image size from {MIN_SIZE} to {MAX_SIZE} pixels, got {size!r}"
        )
