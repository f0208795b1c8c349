"""What is asked of a controller: starts, goals, budget and the rule of success.

``lewm`` is the protocol of LeWorldModel (Maes et al. 2026, arXiv:2603.19312) and of the public
stable-worldmodel code: start in a recorded state, velocity included; the goal is the pose 25 env
steps later in the same recording; 50 env steps; |Δqpos| < 0.05 rad on both joints, raw angles.
``lewm-t75-b2t-rest`` reads: goal 75 steps later, budget twice that, start at rest.

``swift`` is the same with recordings of the ``swift`` behaviour, strong correlated torques: start
velocities of 2.6 rad/s (root mean square over both joints) and goals as far away as an arm at that
speed gets. One goal in eight is more than half a turn away by the raw angle, which no picture can
show, so here angles compare modulo 2π.

``anywhere``: any pose to any pose at rest, 4 s, modulo 2π.

``dmc-easy`` and ``dmc-hard`` are dm_control's own episodes (Tassa et al. 2018, arXiv:1801.00690):
1000 physics steps = 500 env steps, and its own reward, one for every physics step the fingertip is
within reach of the target, summed to the return. The same starts and targets in both. What a
controller is told is a goal pose with the fingertip on the target, by inverse kinematics the one
of two nearer to the start, and its picture; ``inside`` is judged at the fingertip, so any pose that
reaches counts.

The recordings are simulated here from the evaluation seed, in random streams no data set uses.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from agent.data.behaviours import behaviour_named, roll_out
from agent.errors import UserError
from agent.interfaces import Array
from envs import (
    ACTION_REPEAT,
    EPISODE_PHYSICS_STEPS,
    REACH_M,
    angle_error_rad,
    fingertip_m,
    nearer_goal_pose,
    sample_pose,
    sample_target_m,
    target_reward,
)

if TYPE_CHECKING:
    from envs import ReacherSimulator

TOLERANCE_RAD = 0.05
RECORDING_STEPS = 200
GOAL_OFFSETS = (25, 50, 75, 100, 125, 150)  # env steps
LEWM_BUDGET_STEPS = 50
ANYWHERE_BUDGET_STEPS = 100  # 4 s


@dataclass(frozen=True)
class EpisodeSpec:
    """One task: raw joint angles [rad] and velocities [rad/s], (2,) each.

    ``seed`` is the random stream the controller may draw from in this episode.
    """

    seed: int
    start_qpos_rad: Array
    start_qvel_rad_s: Array
    goal_qpos_rad: Array


@dataclass(frozen=True)
class Recorded:
    """Start and goal are two moments, ``goal_offset_steps`` apart, of one recording."""

    behaviour: str
    goal_offset_steps: int
    at_rest: bool = False

    @property
    def stream(self) -> str:
        """Variants of one behaviour share it, and with it their recordings."""
        return f"recorded/{self.behaviour}"

    def draw(self, rng: np.random.Generator, simulator: ReacherSimulator) -> tuple[Array, ...]:
        """Start angles, start velocities, goal angles."""
        recording = roll_out(simulator, behaviour_named(self.behaviour), rng, RECORDING_STEPS)
        first = rng.integers(RECORDING_STEPS - self.goal_offset_steps, endpoint=True)
        velocity = np.zeros(2) if self.at_rest else recording.qvel[first]
        return recording.qpos[first], velocity, recording.qpos[first + self.goal_offset_steps]


@dataclass(frozen=True)
class AnyPose:
    """Start at rest in a uniformly random pose, goal another one."""

    stream = "any-pose"

    def draw(self, rng: np.random.Generator, simulator: ReacherSimulator) -> tuple[Array, ...]:
        """Start angles, start velocities, goal angles; the simulator is not needed."""
        return sample_pose(rng), np.zeros(2), sample_pose(rng)


@dataclass(frozen=True)
class TargetPoint:
    """dm_control's start (at rest) and target; the goal is a pose that reaches it."""

    stream = "dmc"

    def draw(self, rng: np.random.Generator, simulator: ReacherSimulator) -> tuple[Array, ...]:
        """Start angles, start velocities, goal angles; the simulator is not needed."""
        start, target_m = sample_pose(rng), sample_target_m(rng)
        return start, np.zeros(2), nearer_goal_pose(start, target_m)


@dataclass(frozen=True)
class Protocol:
    """Tasks and the rule of success: both joints within ``tolerance_rad`` of the goal.

    ``wrapped``: angles compare modulo 2π; otherwise raw, so a turned shoulder is far away.
    ``reach_m``: success is the fingertip that near the goal's, whatever the joints, and every
    physics step of it pays 1.
    """

    name: str
    budget_steps: int
    source: Recorded | AnyPose | TargetPoint
    wrapped: bool
    tolerance_rad: float = TOLERANCE_RAD
    reach_m: float | None = None

    def episodes(self, count: int, seed: int) -> list[EpisodeSpec]:
        """The first ``count`` tasks; task i depends on protocol, seed and i alone.

        Raises:
            UserError: if ``count`` is not positive or ``seed`` is negative.
        """
        from envs import ReacherSimulator

        if count < 1 or seed < 0:
            raise UserError(f"expected episodes >= 1 and seed >= 0, got {count} and {seed}")
        simulator = ReacherSimulator()
        return [self._episode(seed, index, simulator) for index in range(count)]

    def joint_error_rad(self, qpos_rad: Array, goal_qpos_rad: Array) -> Array:
        """Absolute joint differences (..., 2) under the protocol's rule."""
        if self.wrapped:
            return angle_error_rad(qpos_rad, goal_qpos_rad)
        difference: Array = np.abs(qpos_rad - goal_qpos_rad)
        return difference

    def inside(self, qpos_rad: Array, goal_qpos_rad: Array) -> NDArray[np.bool_]:
        """Whether poses (..., 2) count as success, (...)."""
        if self.reach_m is not None:
            rewards = target_reward(qpos_rad, fingertip_m(goal_qpos_rad), self.reach_m)
            return np.asarray(rewards > 0.0)
        error = self.joint_error_rad(qpos_rad, goal_qpos_rad).max(-1)
        return np.asarray(error < self.tolerance_rad)

    def _episode(self, seed: int, index: int, simulator: ReacherSimulator) -> EpisodeSpec:
        key = zlib.crc32(f"lejepa-agent/evaluation/{self.source.stream}".encode())
        task, own = np.random.SeedSequence(seed, spawn_key=(key, index)).spawn(2)
        start, velocity, goal = self.source.draw(np.random.default_rng(task), simulator)
        return EpisodeSpec(int(own.generate_state(1)[0]), start, velocity, goal)


def _lewm_variants() -> list[Protocol]:
    variants = []
    for offset in GOAL_OFFSETS:
        for word, budget in (("b50", LEWM_BUDGET_STEPS), ("b2t", 2 * offset)):
            for ending, at_rest in (("", False), ("-rest", True)):
                source = Recorded("uniform", offset, at_rest)
                name = f"lewm-t{offset}-{word}{ending}"
                variants.append(Protocol(name, budget, source, wrapped=False))
    return variants


def _dmc(task: str) -> Protocol:
    budget_steps = EPISODE_PHYSICS_STEPS // ACTION_REPEAT
    return Protocol(f"dmc-{task}", budget_steps, TargetPoint(), True, reach_m=REACH_M[task])


def _all_protocols() -> list[Protocol]:
    budget, swift = LEWM_BUDGET_STEPS, Recorded("swift", 25)
    return [
        Protocol("lewm", budget, Recorded("uniform", 25), wrapped=False),
        Protocol("lewm-rest", budget, Recorded("uniform", 25, at_rest=True), wrapped=False),
        Protocol("swift", budget, swift, wrapped=True),
        Protocol("anywhere", ANYWHERE_BUDGET_STEPS, AnyPose(), wrapped=True),
        *map(_dmc, REACH_M),
        *_lewm_variants(),
    ]


PROTOCOLS: Mapping[str, Protocol] = MappingProxyType({p.name: p for p in _all_protocols()})


def protocol_named(name: str) -> Protocol:
    """The protocol of that name; UserError with the nearest name if there is none."""
    if name in PROTOCOLS:
        return PROTOCOLS[name]
    nearest = get_close_matches(name, PROTOCOLS, n=1, cutoff=0.0)[0]
    raise UserError(
        f"unknown protocol '{name}': expected lewm, lewm-rest, swift, anywhere, dmc-easy, dmc-hard "
        f"or a variant like lewm-t50-b2t; did you mean '{nearest}'?"
    )
