"""A point in the plane with mass, friction and noise: linear, quadratic in cost, seen in pixels.

    v' = FRICTION·v + B·u + noise,    p' = p + v'

Two pictures tell position and velocity exactly, so the optimum of linear-quadratic control on the
true state is within reach of whoever sees pictures. Lengths are standard deviations of where the
point usually is, times are steps. Under linear feedback with Gaussian noise, the same for both
axes, positions are stationary and Gaussian and a pair of them is the theorem's.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import torch
from torch import Tensor

from agent.interfaces import Array

FRICTION = 0.9
FORCES = np.array([[0.10, 0.03], [-0.02, 0.08]])  # (2, 2): the two thrusters are askew
NOISE = 0.005  # standard deviation of a step's push
EFFORT = 0.05  # cost of a unit of force squared, beside that of a unit of distance squared
STIFFNESS, DAMPING = 0.01, 0.1  # of the behaviour that is recorded
SIDE_PX, REACH, BLOB_PX = 16, 4.0, 1.2  # a picture shows ±REACH; the blob's width
BRIGHTNESS = 4.0  # of the brightest pixel as an encoder gets it


def draw(positions: Tensor) -> Tensor:
    """Pictures (samples, SIDE_PX²) in 256 steps of brightness of ``positions`` (samples, 2)."""
    pixels = torch.arange(SIDE_PX, dtype=torch.float32)
    places = (positions.float() / REACH + 1) * (SIDE_PX - 1) / 2  # [px]
    along = torch.exp(-((pixels - places[..., None]) ** 2) / (2 * BLOB_PX**2))  # (samples, 2, side)
    picture = along[:, 0, :, None] * along[:, 1, None, :]
    return (255 * picture).round().flatten(1) * (BRIGHTNESS / 255)


def push(positions: Array, velocities: Array, forces: Array, noise: Array) -> tuple[Array, Array]:
    """Positions and velocities after a step, all (E, 2)."""
    velocities = FRICTION * velocities + forces @ FORCES.T + noise
    return positions + velocities, velocities


def optimal_gain() -> Array:
    """K (2, 4) of the forces −K·(p − goal, v) that cost least in the long run, by Riccati."""
    linalg: Any = importlib.import_module("scipy.linalg")
    unit, none = np.eye(2), np.zeros((2, 2))
    a = np.block([[unit, FRICTION * unit], [none, FRICTION * unit]])
    b = np.vstack([FORCES, FORCES])
    effort = EFFORT * unit
    cost = linalg.solve_discrete_are(a, b, np.diag([1.0, 1, 0, 0]), effort)
    gain: Array = np.linalg.solve(effort + b.T @ cost @ b, b.T @ cost @ a)
    return gain


def behaviour_correlation(lag: int) -> float:
    """Correlation of an axis of the position with itself ``lag`` steps later, as recorded."""
    a = np.array([[1 - STIFFNESS, FRICTION - DAMPING], [-STIFFNESS, FRICTION - DAMPING]])
    linalg: Any = importlib.import_module("scipy.linalg")
    spread = linalg.solve_discrete_lyapunov(a, np.ones((2, 2)))
    later = np.linalg.matrix_power(a, lag) @ spread
    return float(later[0, 0] / spread[0, 0])


def record(
    episodes: int, steps: int, width: float, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Positions (E, T + 1, 2) and forces (E, T, 2) of a spring, a damper and noise.

    The noise is such that positions have the standard deviation ``width``. Episodes start
    anywhere in that law, at rest.
    """
    linalg: Any = importlib.import_module("scipy.linalg")
    a = np.array([[1 - STIFFNESS, FRICTION - DAMPING], [-STIFFNESS, FRICTION - DAMPING]])
    shake = width / np.sqrt(linalg.solve_discrete_lyapunov(a, np.ones((2, 2)))[0, 0])
    undo = np.linalg.inv(FORCES).T
    p, v = width * rng.standard_normal((episodes, 2)), np.zeros((episodes, 2))
    places, forces = [p], []
    for _ in range(steps):
        wanted = -STIFFNESS * p - DAMPING * v + shake * rng.standard_normal(p.shape)
        forces.append(wanted @ undo)
        p, v = push(p, v, forces[-1], NOISE * rng.standard_normal(p.shape))
        places.append(p)
    return np.stack(places, 1), np.stack(forces, 1)
