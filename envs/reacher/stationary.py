"""Torques that make the joint angles a stationary Gaussian process.

Each joint is to be a critically damped oscillator driven by white noise, the second-order
Ornstein–Uhlenbeck process (Uhlenbeck & Ornstein 1930, "On the theory of the Brownian motion",
Sec. III): angle and velocity together are one linear Gaussian Markov process, the kind of latent
world for which LeJEPA is identifiable (Klindt, LeCun & Balestriero 2026, arXiv:2605.26379). At
control tick t, with Δ the tick and p = exp(−Δ/τ) a double pole,

    v' = a q + b v + s η,   a = −(1−p)²/Δ,   b = (p² + 2p − 1)/2,   η ~ N(0, 1)
    q' = q + Δ (v + v')/2

is the same as q_t = 2p q_{t−1} − p² q_{t−2} + sΔ/2 (η_t + η_{t−1}), whose variance s sets.
The torque that brings the arm to v' is read off the arm's own masses: a behaviour that looks.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from envs.base import Array, FloatArray, World
from envs.behaviours import Behaviour
from envs.reacher.angles import WRIST_LIMIT_RAD
from envs.reacher.simulator import ACTION_REPEAT, PHYSICS_DT_S, TORQUE_DIM, ReacherSimulator

_TAPS = 2000  # ticks after which the slowest process here has forgotten everything


@dataclass(frozen=True)
class StationaryProcess:
    """The process of one joint: standard deviation of its angle [rad] and time constant τ [s].

    The defaults keep the wrist within its ±160° (3.5 standard deviations) and need more torque
    than there is in about one tick of a hundred.
    """

    std_rad: float = 0.8
    time_constant_s: float = 0.8
    tick_s: float = ACTION_REPEAT * PHYSICS_DT_S

    @property
    def pole(self) -> float:
        """p, what is left of a slow motion after one tick."""
        return float(np.exp(-self.tick_s / self.time_constant_s))

    @cached_property
    def noise_rad_s(self) -> float:
        """s, the random part of the velocity asked for."""
        return self.std_rad / float(np.sqrt((self._angle_response**2).sum()))

    @cached_property
    def velocity_std_rad_s(self) -> float:
        """Standard deviation of the velocity, uncorrelated with the angle of the same moment."""
        after = np.arange(_TAPS)
        response = (after + 1) * self.pole**after
        response[1:] -= after[1:] * self.pole ** (after[1:] - 1)
        return self.noise_rad_s * float(np.sqrt((response**2).sum()))

    def next_velocity(self, qpos_rad: Array, qvel_rad_s: Array, noise: Array) -> Array:
        """v' [rad/s] from angles, velocities and standard normal ``noise``, all of one shape."""
        pole = self.pole
        spring = -((1.0 - pole) ** 2) / self.tick_s
        damping = (pole**2 + 2.0 * pole - 1.0) / 2.0
        return spring * qpos_rad + damping * qvel_rad_s + self.noise_rad_s * noise

    @property
    def _angle_response(self) -> Array:
        """Angle k+1 ticks after a unit of velocity noise: Δ/2 ((k+1) p^k + k p^(k−1))."""
        after = np.arange(_TAPS)
        response = (after + 1) * self.pole**after
        response[1:] += after[1:] * self.pole ** (after[1:] - 1)
        return self.tick_s / 2.0 * response


PROCESS = StationaryProcess()


def stationary_start(rng: np.random.Generator) -> Array:
    """Angles [rad] and speeds [rad/s], (4,), as at any other moment of the process."""
    qpos = PROCESS.std_rad * rng.standard_normal(TORQUE_DIM)
    while abs(qpos[1]) > WRIST_LIMIT_RAD:
        qpos[1] = PROCESS.std_rad * rng.standard_normal()
    qvel = PROCESS.velocity_std_rad_s * rng.standard_normal(TORQUE_DIM)
    return np.concatenate([qpos, qvel])


class StationaryPolicy:
    """Looks at the arm and gives the torque of tick ``t``, float32 (2,) in [-1, 1]."""

    def __init__(self, rng: np.random.Generator, ticks: int, action_dim: int) -> None:
        self._noise = rng.standard_normal((ticks, action_dim))

    def __call__(self, world: World, t: int) -> FloatArray:
        """The torque for tick ``t`` in the state the world is in."""
        simulator: ReacherSimulator = world.simulator  # type: ignore[attr-defined]
        qpos, qvel = simulator.qpos_rad, simulator.qvel_rad_s
        wanted = PROCESS.next_velocity(qpos, qvel, self._noise[t])
        return np.clip(torque_to_reach(simulator, wanted), -1.0, 1.0).astype(np.float32)


STATIONARY = Behaviour("gaussian", StationaryPolicy, stationary_start)


def torque_to_reach(simulator: ReacherSimulator, velocity_rad_s: Array) -> Array:
    """The torque (2,), perhaps outside [-1, 1], that gives a velocity (2,) after one env step.

    Each physics step is implicit in the damping D, (M + hD)(v₁ − v₀) = h(f − c − D v₀). With
    A = h(M + hD)⁻¹ and B = I − AD, a force held for n steps gives
    v_n = Bⁿ v₀ + (Bⁿ⁻¹ + … + I) A (f − c).
    The masses M and the bias c are taken as constant meanwhile.
    """
    physics = simulator.physics
    damping = np.diag(physics.model.dof_damping)
    masses, mujoco = np.empty((TORQUE_DIM, TORQUE_DIM)), importlib.import_module("mujoco")
    mujoco.mj_fullM(physics.model.ptr, physics.data.ptr, masses)
    to_velocity = PHYSICS_DT_S * np.linalg.inv(masses + PHYSICS_DT_S * damping)
    keep = np.eye(TORQUE_DIM) - to_velocity @ damping
    powers = [np.linalg.matrix_power(keep, n) for n in range(simulator.action_repeat + 1)]
    missing = velocity_rad_s - powers[-1] @ simulator.qvel_rad_s
    force = np.linalg.solve(sum(powers[:-1]) @ to_velocity, missing) + physics.data.qfrc_bias
    torque: Array = force / physics.model.actuator_gear[:, 0]
    return torque
