"""The render profiles by name; every dataset and checkpoint records which one it saw.

``dmc``: dm_control's default image of camera 0 with the target hidden, byte for byte.
``fast``: the same scene without shadow map, multisampling, reflection and skybox, drawn at twice
the size and area-averaged down.
"""

from __future__ import annotations

from dataclasses import dataclass

from envs.errors import ProfileError

MIN_SIZE = 8
MAX_SIZE = 1024


@dataclass(frozen=True)
class RenderProfile:
    """How a frame is drawn: ``supersample`` times larger, with or without light effects."""

    name: str
    supersample: int
    effects: bool


PROFILES = {
    "dmc": RenderProfile("dmc", supersample=1, effects=True),
    "fast": RenderProfile("fast", supersample=2, effects=False),
}


def checked_profile(name: str, size: int) -> RenderProfile:
    """The profile of that name; ``ProfileError`` for an unknown name or an absurd size."""
    if name not in PROFILES:
        raise ProfileError(f"expected a render profile of {sorted(PROFILES)}, got {name!r}")
    if not MIN_SIZE <= size <= MAX_SIZE:
        raise ProfileError(
            f"expected an image size from {MIN_SIZE} to {MAX_SIZE} pixels, got {size}"
        )
    return PROFILES[name]
