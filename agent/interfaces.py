"""Types that cross rooms, and no logic.

Legend, used everywhere: ``B`` windows, ``T`` frames in a window, ``L`` context frames, ``E``
episodes planned together, ``N`` candidates, ``H`` planner steps, ``K`` env steps per planner
step, ``A`` numbers in an action, ``D`` latent dimension. ``action[t]`` acts between ``frame[t]``
and ``frame[t + 1]``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from envs import WorldSpec

Array = NDArray[np.float64]
FloatArray = NDArray[np.float32]
Image = NDArray[np.uint8]


@dataclass(frozen=True)
class Window:
    """A batch of rollout pieces, frames one model step apart.

    ``frames`` uint8 (B, T, h, w, 3); ``actions`` float32 (B, T-1, K*A).
    """

    frames: Image
    actions: FloatArray


@dataclass(frozen=True)
class Seen:
    """What E episodes show at one control tick; None where the controller does not need it.

    ``pixels`` uint8 (E, h, w, 3); ``state`` (E, S), the true one, for rivals and yardsticks only.
    """

    pixels: Image | None = None
    state: Array | None = None


@dataclass(frozen=True)
class Goals:
    """What E episodes are to reach, told once at their start: as :class:`Seen`."""

    pixels: Image | None = None
    state: Array | None = None


@dataclass(frozen=True)
class Needs:
    """What a controller asks for.

    ``pixels`` and ``state``: what it wants to be shown. ``spec``: the world it was made for, None
    if it takes any. ``tasks``: names of the only tasks it can play, None if all.
    """

    pixels: bool = True
    state: bool = False
    spec: WorldSpec | None = None
    tasks: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Decision:
    """``actions`` (E, A) in [-1, 1] for the coming tick.

    ``fault`` says why nothing it decides can be trusted any more (the actions are zero then);
    ``late``: it took longer than the deadline it was given. ``held``, if not empty, says of each
    episode why its action is zero until sight returns, None where it acts.
    """

    actions: Array
    fault: str | None = None
    late: bool = False
    held: tuple[str | None, ...] = ()


class Controller(Protocol):
    """Anything that acts, on E episodes in lock step."""

    @property
    def name(self) -> str:
        """As results and tables know it."""

    @property
    def needs(self) -> Needs:
        """What it must be shown; never changes."""

    def reset(self, goals: Goals, seeds: Sequence[int]) -> None:
        """Start E episodes; episode i owns the random stream ``seeds[i]``."""

    def act(self, seen: Seen) -> Decision:
        """What to do in the coming control tick."""
