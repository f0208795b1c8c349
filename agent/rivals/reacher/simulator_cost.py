"""What a torque plan costs on the true physics, and how each torque changes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.interfaces import Array
from envs.reacher import TORQUE_DIM, ReacherSimulator

Plans = NDArray[np.floating[Any]]

_STATE_DIM = 2 * TORQUE_DIM  # joint angles, then their velocities
_NUDGE = 1e-5  # finite-difference step of angles [rad], velocities [rad/s] and torques


@dataclass(frozen=True)
class SimulatorGoalCost:
    """Least-squares cost of torque plans from true states, by rolling the simulator.

    The mean over the horizon of squared joint-space offsets, the shoulder on the circle.
    ``simulator`` is left as it is; ``states`` (E, 4) angles [rad] and velocities [rad/s];
    ``goals`` (E, 2) joint angles [rad].
    """

    simulator: ReacherSimulator
    states: Array
    goals: Array

    def __call__(self, plans: Plans) -> Plans:
        """(E, N, H, K, A) -> (E, N)."""
        episodes, count, steps = plans.shape[:3]
        torques = plans.reshape(episodes * count, -1, TORQUE_DIM).astype(np.float64)
        path = self.simulator.roll(np.repeat(self.states, count, axis=0), torques)
        angles = _at_step_ends(path, steps)[..., :TORQUE_DIM]
        residuals = _residuals(
            angles.reshape(episodes, count, steps, TORQUE_DIM), self.goals[:, None, None]
        )
        cost: Array = np.square(residuals).sum((-1, -2))
        return cost

    def linearise(self, plans: Plans) -> tuple[Array, Array]:
        """(E, H, K, A) -> residuals (E, 3*H) and their slopes (E, H*K*A, 3*H).

        The slope of each env step is measured where the plan passes and the chain rule does the
        rest: twelve probes an env step, however long the plan.
        """
        episodes, steps = plans.shape[:2]
        torques = plans.reshape(episodes, -1, TORQUE_DIM).astype(np.float64)
        path = self.simulator.roll(self.states, torques)
        before = np.concatenate([self.states[:, None], path[:, :-1]], axis=1)
        angle_slopes = _chained(self._env_step_slopes(before, torques))[:, :, :TORQUE_DIM]
        angles = _at_step_ends(path[..., :TORQUE_DIM], steps)
        residuals = _residuals(angles, self.goals[:, None])
        jacobian = _residual_slopes(angles) @ _at_step_ends(angle_slopes, steps)
        return (
            residuals.reshape(episodes, -1),
            jacobian.reshape(episodes, -1, jacobian.shape[-1]).swapaxes(1, 2),
        )

    def _env_step_slopes(self, states: Array, torques: Array) -> Array:
        """Slopes (E, T, 4, 6) of the state after an env step by state and torque before it.

        By central differences. Where a torque is on a bound they are taken just inside it, as the
        simulator clips what is outside.
        """
        inside = np.clip(torques, _NUDGE - 1.0, 1.0 - _NUDGE)
        points = np.concatenate([states, inside], axis=-1)[..., None, :]  # (E, T, 1, 6)
        nudges = _NUDGE * np.eye(points.shape[-1])
        probes = np.stack([points + nudges, points - nudges])  # (2, E, T, 6, 6)
        flat = probes.reshape(-1, points.shape[-1])
        after = self.simulator.roll(flat[:, :_STATE_DIM], flat[:, None, _STATE_DIM:])
        up, down = after.reshape(*probes.shape[:-1], _STATE_DIM)
        slopes: Array = ((up - down) / (2 * _NUDGE)).swapaxes(-1, -2)
        return slopes


def _at_step_ends(path: Array, steps: int) -> Array:
    """Of (N, T, ...) at env steps, the (N, H, ...) at the ends of the H planner steps."""
    block = path.shape[1] // steps
    return path[:, block - 1 :: block]


def _chained(env_step_slopes: Array) -> Array:
    """Slopes (E, T, 4, T*A) of every state by every torque, from (E, T, 4, 4+A) of one step."""
    episodes, ticks = env_step_slopes.shape[:2]
    chained = np.zeros((episodes, ticks, _STATE_DIM, ticks * TORQUE_DIM))
    so_far = np.zeros_like(chained[:, 0])
    for tick in range(ticks):
        by_state, by_torque = np.split(env_step_slopes[:, tick], [_STATE_DIM], axis=-1)
        so_far = by_state @ so_far
        so_far[..., tick * TORQUE_DIM : (tick + 1) * TORQUE_DIM] = by_torque
        chained[:, tick] = so_far
    return chained


def _residuals(angles: Array, goals: Array) -> Array:
    """Offsets (..., H, 3) of angles (..., H, 2); their squares average over H."""
    shoulder, target = angles[..., 0], goals[..., 0]
    offsets = [
        np.cos(shoulder) - np.cos(target),
        np.sin(shoulder) - np.sin(target),
        angles[..., 1] - goals[..., 1],
    ]
    residuals: Array = np.stack(offsets, -1) / np.sqrt(angles.shape[-2])
    return residuals


def _residual_slopes(angles: Array) -> Array:
    """Slopes (..., H, 3, 2) of these offsets by the angles."""
    slopes: Array = np.zeros((*angles.shape[:-1], 3, TORQUE_DIM))
    slopes[..., 0, 0], slopes[..., 1, 0] = -np.sin(angles[..., 0]), np.cos(angles[..., 0])
    slopes[..., 2, 1] = 1.0
    slopes /= np.sqrt(angles.shape[-2])
    return slopes
