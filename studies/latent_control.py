"""Linear-quadratic control in an embedding: dynamics by least squares, plain Euclidean cost.

An encoder h gives h_t; what follows is fitted as h_{t+1} = A·h_t + A'·h_{t-1} + B·u_t + c. The cost
of a step is ‖h − h_goal‖² + EFFORT·‖u‖²: that of the world itself wherever h is a rotation of it.
Every step the plan is made anew over the horizon and its first force is taken; its gains are the
same each time, as the embedding's dynamics are linear.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from agent.interfaces import Array
from studies.point_mass import EFFORT, NOISE, optimal_gain, push

HORIZON = 50
Encoder = Callable[[Array], Array]
"""Positions (N, 2) → embeddings (N, D), by way of pictures."""
Controller = Callable[[Array, Array], Array]
"""Positions and those a step before, (E, 2) each → forces (E, 2)."""


@dataclass(frozen=True)
class Dynamics:
    """What follows: A ``now`` and A' ``before`` (D, D), B ``force`` (D, 2), c ``drift`` (D,)."""

    now: Array
    before: Array
    force: Array
    drift: Array


def fit_dynamics(embeddings: Array, forces: Array) -> Dynamics:
    """Least squares on ``embeddings`` (E, T + 1, D) and ``forces`` (E, T, 2)."""
    width = embeddings.shape[-1]
    known = np.concatenate(
        [embeddings[:, 1:-1], embeddings[:, :-2], forces[:, 1:], np.ones_like(forces[:, 1:, :1])],
        -1,
    )
    rows, targets = known.reshape(-1, known.shape[-1]), embeddings[:, 2:].reshape(-1, width)
    found = np.linalg.lstsq(rows, targets, rcond=None)[0].T
    parts = np.split(found, [width, 2 * width, 2 * width + 2], axis=1)
    return Dynamics(*parts[:3], parts[3][:, 0])


def latent_controller(encoder: Encoder, dynamics: Dynamics, goals: Array) -> Controller:
    """Plans to the pictures of ``goals`` (E, 2) from pictures alone."""
    goal = encoder(goals)
    gain = first_gains(dynamics, goal)  # (E, 2, 2D + 1)

    def act(positions: Array, before: Array) -> Array:
        now, then = encoder(positions), encoder(before)
        state = np.concatenate([now - goal, then - goal, np.ones((len(goal), 1))], 1)
        forces: Array = -np.einsum("eij,ej->ei", gain, state)
        return forces

    return act


def true_controller(goals: Array) -> Controller:
    """The optimum, which knows the state and ``goals`` (E, 2)."""
    gain = optimal_gain()

    def act(positions: Array, before: Array) -> Array:
        forces: Array = -np.concatenate([positions - goals, positions - before], 1) @ gain.T
        return forces

    return act


def first_gains(dynamics: Dynamics, goals: Array) -> Array:
    """Gains (E, 2, 2D + 1) of a plan's first force, for each of ``goals`` (E, D).

    The state is (h − goal, the one before − goal, 1); what the goal would drift by is in the 1.
    """
    episodes, width = goals.shape
    size = 2 * width + 1
    a = np.zeros((episodes, size, size))
    a[:, :width, :width], a[:, :width, width:-1] = dynamics.now, dynamics.before
    a[:, width:-1, :width], a[:, -1, -1] = np.eye(width), 1.0
    stays = dynamics.now + dynamics.before - np.eye(width)
    a[:, :width, -1] = goals @ stays.T + dynamics.drift
    b = np.zeros((size, 2))
    b[:width] = dynamics.force
    near = np.diag([1.0] * width + [0.0] * (width + 1))
    cost = np.broadcast_to(near, a.shape)
    for _ in range(HORIZON):
        gain = np.linalg.solve(EFFORT * np.eye(2) + b.T @ cost @ b, b.T @ cost @ a)
        cost = near + a.transpose(0, 2, 1) @ cost @ (a - b @ gain)
    return np.asarray(gain)


def closed_loop_cost(
    controller: Controller, starts: Array, goals: Array, steps: int, rng: np.random.Generator
) -> Array:
    """Cost (E,) of ``steps`` steps from rest; the same generator gives the same noise."""
    cost: Array = costs_by_step(controller, starts, goals, steps, rng).sum(0)
    return cost


def costs_by_step(
    controller: Controller, starts: Array, goals: Array, steps: int, rng: np.random.Generator
) -> Array:
    """Those of :func:`closed_loop_cost`, step by step (steps, E)."""
    p, v, before, costs = starts, np.zeros_like(starts), starts, []
    for _ in range(steps):
        forces = controller(p, before)
        before = p
        p, v = push(p, v, forces, NOISE * rng.standard_normal(p.shape))
        costs.append(((p - goals) ** 2).sum(1) + EFFORT * (forces**2).sum(1))
    return np.stack(costs)
