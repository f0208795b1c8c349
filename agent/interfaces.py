"""Types that cross rooms, and no logic.

Legend, used everywhere: ``B`` windows, ``T`` frames in a window, ``L`` context frames, ``E``
episodes planned together, ``N`` candidates, ``H`` planner steps, ``K`` env steps per planner
step, ``A`` torque dimension, ``D`` latent dimension. ``action[t]`` acts between ``frame[t]``
and ``frame[t + 1]``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
FloatArray = NDArray[np.float32]
Image = NDArray[np.uint8]


@dataclass(frozen=True)
class Window:
    """A batch of rollout pieces, frames one model step apart.

    ``frames`` uint8 (B, T, h, w, 3); ``actions`` float32 (B, T-1, K*A); ``states`` float64
    (B, T, 4) joint angles [rad] then velocities [rad/s]: for probes only, never for training.
    """

    frames: Image
    actions: FloatArray
    states: Array


@dataclass(frozen=True)
class GoalObservation:
    """What a controller sees at one control tick.

    ``pixels`` and ``goal_pixels`` are uint8 (h, w, 3). ``state`` and ``goal_state`` (4,) hold
    joint angles [rad] and velocities [rad/s] and are for baselines and metrics only.
    """

    pixels: Image
    goal_pixels: Image
    state: Array
    goal_state: Array


class Controller(Protocol):
    """Anything that acts, on E episodes in lock step."""

    name: str

    def reset(self, observations: Sequence[GoalObservation], seeds: Sequence[int]) -> None:
        """Start E episodes; episode i owns the random stream ``seeds[i]``."""

    def act(self, observations: Sequence[GoalObservation]) -> Array:
        """Torques (E, A) in [-1, 1] for the coming control tick."""


@dataclass(frozen=True)
class EpisodeResult:
    """How one episode went.

    ``first_touch``: inside tolerance at any time; ``held``: inside for the whole last 0.4 s of
    the budget; ``steps_to_success`` env steps to the first touch (None if never);
    ``final_error_rad`` the larger joint error at the end; ``decision_ms`` per control tick;
    ``episode_return`` where the protocol pays a reward (dm_control's, out of 1000).
    """

    seed: int
    solved_at_start: bool
    first_touch: bool
    held: bool
    steps_to_success: int | None
    final_error_rad: float
    decision_ms: tuple[float, ...]
    episode_return: float | None = None
