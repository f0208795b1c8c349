"""Frames of the moving arm at chosen distances in time: pairs from real physics.

Drawing is dear, so an episode of 121 pictures is looked at 15 or 16 times: for strides from 8 on
every 8 steps, for a shorter one twice at each of 8 random moments. A pool of
episodes is simulated and drawn once; its first ones are the smaller pool of the same seed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agent.data.worker import episode_rng
from agent.errors import UserError
from agent.interfaces import Array, FloatArray, Goals, Image, Seen
from agent.rivals.reacher.computed_torque import ComputedTorqueController
from envs import BEHAVIOURS, Behaviour, Policy, World, make_world, roll_out
from envs.reacher import STATIONARY, sample_pose
from studies.made_once import Arrays, made_once
from studies.poses import Indices, render_poses

STRIDES = (1, 2, 4, 8, 16, 32, 64)  # env steps of 0.04 s
EPISODE_STEPS = 120
_SPACING, _PAIRS_PER_EPISODE = 8, 8
_GOAL_STEPS = 40  # 1.6 s, about what the arm needs for most poses


@dataclass(frozen=True)
class Moments:
    """When an episode is looked at: ``groups`` times, ``offsets`` env steps after a random one.

    The same ``name``, the same moments.
    """

    name: str
    offsets: tuple[int, ...]
    groups: int

    @property
    def per_episode(self) -> int:
        """Frames of an episode."""
        return self.groups * len(self.offsets)

    def drawn(self, rng: np.random.Generator) -> Indices:
        """Env steps (per_episode,) of an episode's frames, group by group."""
        latest = EPISODE_STEPS - self.offsets[-1]
        starts = rng.integers(latest, size=self.groups, endpoint=True)
        steps: Indices = (starts[:, None] + np.array(self.offsets)).ravel()
        return steps

    def apart(self, stride: int) -> Indices:
        """Places (2, k) within a group of its pairs of frames ``stride`` env steps apart."""
        places = range(len(self.offsets))
        found = [
            (first, second)
            for first, second in combinations(places, 2)
            if self.offsets[second] - self.offsets[first] == stride
        ]
        return np.array(found, dtype=np.int64).reshape(-1, 2).T


def moments_for(stride: int) -> Moments:
    """Moments with pairs ``stride`` env steps apart.

    Raises:
        UserError: for a stride that is none of :data:`STRIDES`.
    """
    if stride not in STRIDES:
        raise UserError(
            f"expected a stride of {', '.join(map(str, STRIDES))} env steps, in an episode of "
            f"{EPISODE_STEPS}; got {stride}"
        )
    if stride < _SPACING:
        return Moments(f"stride-{stride}", (0, stride), _PAIRS_PER_EPISODE)
    return Moments("far", tuple(range(0, EPISODE_STEPS - _SPACING + 1, _SPACING)), 1)


@dataclass(frozen=True)
class MovingFrames:
    """``frames`` uint8 (N, h, w, 3) and joint angles ``qpos_rad`` (N, 2), raw, group by group."""

    frames: Image
    qpos_rad: Array
    moments: Moments

    def first(self, episodes: int) -> MovingFrames:
        """The first so many of the episodes.

        Raises:
            UserError: if there are not so many, or none is asked for.
        """
        have, count = len(self.frames) // self.moments.per_episode, self.moments.per_episode
        if not 1 <= episodes <= have:
            raise UserError(f"expected 1 to {have} episodes, as many as were drawn, got {episodes}")
        kept = slice(episodes * count)
        return MovingFrames(self.frames[kept], self.qpos_rad[kept], self.moments)

    def pairs(self, stride: int) -> tuple[Indices, Indices]:
        """Indices of all first and second frames that are ``stride`` env steps apart.

        Raises:
            UserError: if no two frames of a group are.
        """
        first, second = self.moments.apart(stride)
        if not len(first):
            offsets = ", ".join(map(str, self.moments.offsets))
            raise UserError(f"expected a stride between two of the moments {offsets}, got {stride}")
        groups = np.arange(0, len(self.frames), len(self.moments.offsets))[:, None]
        return (groups + first).ravel(), (groups + second).ravel()

    def correlation(self, stride: int) -> float:
        """Of the joint angles of such pairs, mean over joints; angles as sine and cosine."""
        here, there = self.pairs(stride)
        features = np.concatenate([np.sin(self.qpos_rad), np.cos(self.qpos_rad)], 1)
        centred = features - features.mean(0)
        lagged = (centred[here] * centred[there]).mean(0)
        return float((lagged / centred.var(0)).mean())


@dataclass(frozen=True)
class Pool:
    """``episodes`` of a behaviour, drawn ``image_size`` px a side, kept under the path ``keep``.

    ``keep`` must belong to these alone: files beside it begin with its name.
    """

    behaviour: Behaviour
    episodes: int
    image_size: int
    seed: int
    keep: Path

    def frames(self, stride: int) -> MovingFrames:
        """Frames that have pairs of ``stride`` env steps; UserError for one that none has."""
        moments = moments_for(stride)

        def make() -> Arrays:
            qpos = np.concatenate(
                [
                    path[moments.drawn(np.random.default_rng([self.seed, index]))]
                    for index, path in enumerate(self.paths())
                ]
            )
            return {"frames": render_poses(qpos, self.image_size), "qpos": qpos}

        arrays = made_once(self.keep.with_name(f"{self.keep.name}-{moments.name}"), make)
        return MovingFrames(arrays["frames"], arrays["qpos"], moments)

    def paths(self) -> Array:
        """Joint angles [rad] (episodes, 121, 2) of every env step."""
        path = self.keep.with_name(f"{self.keep.name}-paths")
        return made_once(path, lambda: {"qpos": self._simulated()})["qpos"]

    def _simulated(self) -> Array:
        world = make_world("reacher")
        rngs = (episode_rng(self.seed, episode) for episode in range(self.episodes))
        found = [roll_out(world, self.behaviour, rng, EPISODE_STEPS) for rng in rngs]
        return np.stack([path.states[:, :2] for path in found])


def apart(paths: Array, stride: int) -> tuple[Array, Array]:
    """All first and second joint angles (episodes, k, 2), ``stride`` steps apart, of ``paths``.

    A pair begins 8 steps after the last, or a stride if that is more.
    """
    steps = np.arange(0, paths.shape[1] - stride, max(stride, _SPACING))
    return paths[:, steps], paths[:, steps + stride]


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
    "gaussian": STATIONARY,
    "uniform": BEHAVIOURS["uniform"],
    "ou": BEHAVIOURS["ou"],
    "controller": Behaviour("controller", _controlled),
}
