"""Frames of the moving arm at chosen distances in time: pairs from real physics.

Frames of one group are 0, 1, 2, 4, … 64 env steps after its first, so eight pictures hold two pairs
of nearly every stride. Groups start at random moments of an episode.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agent.data.streams import episode_rng
from agent.interfaces import Array, FloatArray, Goals, Image, Seen
from agent.rivals.reacher.computed_torque import ComputedTorqueController
from envs import BEHAVIOURS, Behaviour, Policy, World, make_world, roll_out
from envs.reacher import STATIONARY, sample_pose
from studies.made_once import Arrays, made_once
from studies.poses import Indices, render_poses

STRIDES = (1, 2, 4, 8, 16, 32, 64)  # env steps of 0.04 s
EPISODE_STEPS = 120
GROUPS_PER_EPISODE = 4
_OFFSETS = np.array([0, *STRIDES])
_GOAL_STEPS = 40  # 1.6 s, about what the arm needs for most poses


@dataclass(frozen=True)
class MovingFrames:
    """``frames`` uint8 (N, h, w, 3) and joint angles ``qpos_rad`` (N, 2), raw, group by group."""

    frames: Image
    qpos_rad: Array

    def pairs(self, stride: int) -> tuple[Indices, Indices]:
        """Indices of all first and second frames that are ``stride`` env steps apart."""
        first, second = np.nonzero(_OFFSETS[None, :] - _OFFSETS[:, None] == stride)
        if not len(first):
            raise ValueError(f"expected a stride of {STRIDES}, got {stride}")
        groups = np.arange(0, len(self.frames), len(_OFFSETS))[:, None]
        return (groups + first).ravel(), (groups + second).ravel()

    def correlation(self, stride: int) -> float:
        """Of the joint angles of such pairs, mean over joints; angles as sine and cosine."""
        here, there = self.pairs(stride)
        features = np.concatenate([np.sin(self.qpos_rad), np.cos(self.qpos_rad)], 1)
        centred = features - features.mean(0)
        lagged = (centred[here] * centred[there]).mean(0)
        return float((lagged / centred.var(0)).mean())


def moving_frames(
    behaviour: Behaviour, episodes: int, image_size: int, seed: int, keep: Path
) -> MovingFrames:
    """Simulate ``episodes`` and render what :class:`MovingFrames` needs of them.

    They are kept in the file ``keep``, which must belong to these arguments alone.
    """

    def make() -> Arrays:
        qpos = _poses(behaviour, episodes, seed)
        return {"frames": render_poses(qpos, image_size), "qpos": qpos}

    arrays = made_once(keep, make)
    return MovingFrames(arrays["frames"], arrays["qpos"])


def _poses(behaviour: Behaviour, episodes: int, seed: int) -> Array:
    """Joint angles (N, 2) of the frames, group by group."""
    world = make_world("reacher")
    parts = []
    for episode in range(episodes):
        rng = episode_rng(seed, episode)
        path = roll_out(world, behaviour, rng, EPISODE_STEPS).states[:, :2]
        starts = rng.integers(EPISODE_STEPS - STRIDES[-1], size=GROUPS_PER_EPISODE, endpoint=True)
        parts.append(path[(starts[:, None] + _OFFSETS).ravel()])
    return np.concatenate(parts)


def draw_from(
    pairs: tuple[Indices, Indices], rng: np.random.Generator, batch: int
) -> tuple[Indices, Indices]:
    """``batch`` of the pairs, with replacement."""
    chosen: NDArray[np.int64] = rng.integers(len(pairs[0]), size=batch)
    return pairs[0][chosen], pairs[1][chosen]


class PoseToPose:
    """A policy that goes from one random pose to the next by computed torque."""

    def __init__(self, rng: np.random.Generator, steps: int) -> None:
        self._goals = [sample_pose(rng) for _ in range(steps // _GOAL_STEPS + 1)]

    def __call__(self, world: World, t: int) -> FloatArray:
        """The torque float32 (2,) of tick ``t``."""
        goal = np.concatenate([self._goals[t // _GOAL_STEPS], np.zeros(2)])
        controller = _controller()
        controller.reset(Goals(state=goal[None]), [0])
        torques = controller.act(Seen(state=world.state()[None])).actions[0]
        return np.asarray(torques, np.float32)


@cache
def _controller() -> ComputedTorqueController:
    return ComputedTorqueController()  # it remembers nothing, and is slow to build


def _controlled(rng: np.random.Generator, steps: int, action_dim: int) -> Policy:
    return PoseToPose(rng, steps)


SOURCES: Mapping[str, Behaviour] = {
    "ou": BEHAVIOURS["ou"],
    "uniform": BEHAVIOURS["uniform"],
    "controller": Behaviour("controller", _controlled),
    "gaussian": STATIONARY,
}
