"""Classical control on the true state and the true masses: the privileged ceiling.

Computed torque (Luh, Walker & Paul 1980, "Resolved-acceleration control of mechanical
manipulators"): with mass matrix M(q), bias c(q, q̇) and passive forces p(q̇),

    τ = M (kp·e − kd·q̇) + c − p,    kd = 2√kp,

makes each joint a critically damped spring towards the goal, as far as the torques allow.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from agent.interfaces import Array, Decision, Goals, Needs, Seen
from envs.reacher import TORQUE_DIM, ReacherSimulator, wrap_angle

STIFFNESS_PER_S2 = 400.0  # the best for a torque every 0.04 s


class ComputedTorqueController:
    """Feedback on ``state``; the shoulder takes the short way round, the wrist cannot."""

    name = "computed-torque"

    def __init__(self) -> None:
        self.needs = Needs(pixels=False, state=True)
        self._simulator = ReacherSimulator()
        self._mujoco: Any = importlib.import_module("mujoco")
        model = self._simulator.physics.model
        self._gear = np.array(model.actuator_gear[:, 0], dtype=np.float64)

    def reset(self, goals: Goals, seeds: Sequence[int]) -> None:
        """Remember the goals' states (E, 4)."""
        assert goals.state is not None, "it needs states"
        self._goals = goals.state

    def act(self, seen: Seen) -> Decision:
        """Torques (E, 2) in [-1, 1]."""
        assert seen.state is not None, "it needs states"
        pairs = zip(seen.state, self._goals, strict=True)
        return Decision(np.stack([self._torque(state, goal) for state, goal in pairs]))

    def _torque(self, state: Array, goal_state: Array) -> Array:
        velocity = state[TORQUE_DIM:]
        error = goal_state[:TORQUE_DIM] - state[:TORQUE_DIM]
        error[0] = wrap_angle(error[0])
        damping = 2.0 * np.sqrt(STIFFNESS_PER_S2)
        force = self._force(state, STIFFNESS_PER_S2 * error - damping * velocity)
        return np.clip(force / self._gear, -1.0, 1.0)

    def _force(self, state: Array, acceleration_rad_s2: Array) -> Array:
        """Joint torques [N·m] that give ``acceleration_rad_s2`` in ``state``."""
        self._simulator.reset(state[:TORQUE_DIM], state[TORQUE_DIM:])
        physics = self._simulator.physics
        force = np.empty(TORQUE_DIM)
        self._mujoco.mj_mulM(physics.model.ptr, physics.data.ptr, force, acceleration_rad_s2)
        force += physics.data.qfrc_bias - physics.data.qfrc_passive
        return force
