"""What a session may be given beside its world and its model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from agent.interfaces import Array, Controller
from agent.live.gallery import Gallery
from envs import World


@dataclass(frozen=True)
class Beside:
    """What a session may have beside its world and model.

    ``rival_world`` and ``rivals``: a world of their own, and controllers by name; ``gallery`` of
    goals, by default of the world; ``start`` and ``goal`` as states (S,); ``invocation`` the
    command that repeats it.
    """

    rival_world: World | None = None
    rivals: Mapping[str, Callable[[], Controller]] = field(default_factory=dict)
    gallery: Gallery | None = None
    start: Array | None = None
    goal: Array | None = None
    invocation: str = "python run_agent.py live"
