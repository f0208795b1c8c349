"""How the arm is moved while data is collected: pure functions of a random generator.

A behaviour draws where an episode starts and how it goes on: a policy that gives one torque a
tick. ``ou`` and ``uniform`` never look at the arm.

``ou`` is the default. Its torques follow an Ornstein–Uhlenbeck process sampled once per env step,
``u' = ρ u + √(1 − ρ²) η``, scaled and clipped to [−1, 1]. Scale and ρ are drawn anew for every
episode, so one data set holds slow drifts, long swings and white jitter.
``uniform`` draws every torque independently, the data of LeWorldModel
(Maes et al. 2026, arXiv:2603.19312).
``swift`` is for evaluation: ``ou`` with one large scale and one correlation, chosen so that the
joints move at 2.6 rad/s, root mean square over both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from agent.data.stationary import StationaryPolicy, stationary_start
from agent.errors import UserError
from agent.interfaces import Array, FloatArray
from envs import TORQUE_DIM, sample_pose

if TYPE_CHECKING:
    from envs import ReacherSimulator

TORQUE_SCALE_RANGE = (0.05, 1.5)  # log-uniform: a planner needs near-rest precision, and force
CORRELATION_RANGE = (0.0, 0.97)  # ρ per env step; .97 at 0.04 s forgets in about 1.3 s
SWIFT_TORQUE_SCALE, SWIFT_CORRELATION = 0.7, 0.85

Policy = Callable[["ReacherSimulator", int], FloatArray]
"""(simulator, t) -> the torque float32 (2,) in [-1, 1] of tick t, in the state it now has."""


class RollOut(NamedTuple):
    """One episode of S env steps without pictures, in time order.

    ``actions`` float32 (S, 2) in [-1, 1]; ``qpos`` (S+1, 2) raw joint angles [rad]; ``qvel``
    (S+1, 2) joint velocities [rad/s]. ``actions[t]`` leads from state t to state t+1.
    """

    actions: FloatArray
    qpos: Array
    qvel: Array


@dataclass(frozen=True)
class Behaviour:
    """A named way to move.

    ``draw_start(rng)`` gives joint angles [rad] and velocities [rad/s], (2,) each;
    ``draw_policy(rng, steps)`` draws all that is random in an episode of ``steps`` env steps.
    """

    name: str
    draw_start: Callable[[np.random.Generator], tuple[Array, Array]]
    draw_policy: Callable[[np.random.Generator, int], Policy]


def rest_at_random_pose(rng: np.random.Generator) -> tuple[Array, Array]:
    """Any pose the arm can take, at rest: angles [rad] (2,), velocities zero (2,)."""
    return sample_pose(rng), np.zeros(2)


def ou_torques(rng: np.random.Generator, steps: int) -> FloatArray:
    """Correlated torques float32 (steps, 2), their scale and correlation drawn for the episode."""
    scale = float(np.exp(rng.uniform(*np.log(TORQUE_SCALE_RANGE))))
    correlation = rng.uniform(*CORRELATION_RANGE)
    return _correlated(rng, steps, scale, correlation)


def swift_torques(rng: np.random.Generator, steps: int) -> FloatArray:
    """Strong, correlated torques float32 (steps, 2), the same process in every episode."""
    return _correlated(rng, steps, SWIFT_TORQUE_SCALE, SWIFT_CORRELATION)


def _correlated(
    rng: np.random.Generator, steps: int, scale: float, correlation: float
) -> FloatArray:
    noise = rng.standard_normal((steps, 2))
    noise[1:] *= np.sqrt(1.0 - correlation**2)  # the first draw is already stationary
    for step in range(1, steps):
        noise[step] += correlation * noise[step - 1]
    return np.clip(scale * noise, -1.0, 1.0).astype(np.float32)


def uniform_torques(rng: np.random.Generator, steps: int) -> FloatArray:
    """Independent uniform torques float32 (steps, 2)."""
    return rng.uniform(-1.0, 1.0, (steps, 2)).astype(np.float32)


def open_loop(
    draw_torques: Callable[[np.random.Generator, int], FloatArray],
) -> Callable[[np.random.Generator, int], Policy]:
    """The ``draw_policy`` of torques float32 (steps, 2) that are drawn without looking."""

    def draw_policy(rng: np.random.Generator, steps: int) -> Policy:
        torques = draw_torques(rng, steps)
        return lambda simulator, t: torques[t]

    return draw_policy


BEHAVIOURS: Mapping[str, Behaviour] = MappingProxyType(
    {
        "ou": Behaviour("ou", rest_at_random_pose, open_loop(ou_torques)),
        "swift": Behaviour("swift", rest_at_random_pose, open_loop(swift_torques)),
        "uniform": Behaviour("uniform", rest_at_random_pose, open_loop(uniform_torques)),
        "gaussian": Behaviour("gaussian", stationary_start, StationaryPolicy),
    }
)


def behaviour_named(name: str) -> Behaviour:
    """The behaviour of that name; UserError with the nearest name if there is none."""
    if name in BEHAVIOURS:
        return BEHAVIOURS[name]
    nearest = get_close_matches(name, BEHAVIOURS, n=1, cutoff=0.0)[0]
    raise UserError(
        f"unknown behaviour '{name}': expected one of {', '.join(BEHAVIOURS)}; "
        f"did you mean '{nearest}'?"
    )


def episode_rng(seed: int, episode: int) -> np.random.Generator:
    """The random stream that episode ``episode`` of the data set seeded ``seed`` owns."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(episode,)))


def roll_out(
    simulator: ReacherSimulator,
    behaviour: Behaviour,
    rng: np.random.Generator,
    steps: int,
    each_state: Callable[[int], None] | None = None,
) -> RollOut:
    """Run one episode of ``steps`` env steps on the simulator.

    ``each_state(t)`` is called while the simulator stands in state t = 0 … steps (to render it).
    """
    start_rad, start_rad_s = behaviour.draw_start(rng)
    policy = behaviour.draw_policy(rng, steps)
    actions = np.empty((steps, TORQUE_DIM), np.float32)
    qpos, qvel = np.empty((steps + 1, 2)), np.empty((steps + 1, 2))
    simulator.reset(start_rad, start_rad_s)
    for t in range(steps + 1):
        if t > 0:
            actions[t - 1] = policy(simulator, t - 1)
            simulator.step(actions[t - 1])
        qpos[t], qvel[t] = simulator.qpos_rad, simulator.qvel_rad_s
        if each_state is not None:
            each_state(t)
    return RollOut(actions, qpos, qvel)
