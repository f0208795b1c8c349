"""What is asked of a controller: starts, goals, budget and the rule of success.

``lewm`` is the protocol of LeWorldModel (Maes et al. 2026, arXiv:2603.19312) and of the public
stable-worldmodel code: start in a recorded state, velocity included; the goal is the pose 25 env
steps later in the same recording; 50 env steps; |Δqpos| < 0.05 rad on both joints, raw angles.
``swift`` is the same on the fast, correlated torques. ``lewm-t75-b2t-rest`` reads: goal 75 steps
later, budget twice that, start at rest. ``anywhere``: any pose to any pose, 4 s, modulo 2π.

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

from agent.data.behaviours import behaviour_named, roll_out
from agent.errors import UserError
from agent.interfaces import Array
from envs import angle_error_rad, sample_pose

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
class Protocol:
    """Tasks and the rule of success: both joints within ``tolerance_rad`` of the goal.

    ``wrapped``: angles compare modulo 2π; otherwise raw, so a turned shoulder is far away.
    """

    name: str
    budget_steps: int
    source: Recorded | AnyPose
    wrapped: bool
    tolerance_rad: float = TOLERANCE_RAD

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


def _all_protocols() -> list[Protocol]:
    recorded = {
        "lewm": Recorded("uniform", 25),
        "lewm-rest": Recorded("uniform", 25, at_rest=True),
        "swift": Recorded("ou", 25),
    }
    return [
        *(Protocol(name, LEWM_BUDGET_STEPS, source, False) for name, source in recorded.items()),
        Protocol("anywhere", ANYWHERE_BUDGET_STEPS, AnyPose(), wrapped=True),
        *_lewm_variants(),
    ]


PROTOCOLS: Mapping[str, Protocol] = MappingProxyType({p.name: p for p in _all_protocols()})


def protocol_named(name: str) -> Protocol:
    """The protocol of that name; UserError with the nearest name if there is none."""
    if name in PROTOCOLS:
        return PROTOCOLS[name]
    nearest = get_close_matches(name, PROTOCOLS, n=1, cutoff=0.0)[0]
    raise UserError(
        f"unknown protocol '{name}': expected lewm, lewm-rest, swift, anywhere or a variant like "
        f"lewm-t50-b2t; did you mean '{nearest}'?"
    )
