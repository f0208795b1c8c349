"""Pictures of posed arms, and Ornstein–Uhlenbeck pairs among them.

The world of (Klindt, LeCun & Balestriero 2026, arXiv:2605.26379, Reacher experiment): joint angles
z ~ N(0, I) rad, set without physics, and pairs z' = ρz + √(1−ρ²)η. Rendering is dear, so one pool
of poses is rendered and serves every ρ: the partner of pose i is pool pose j with probability
proportional to

    k_ρ(z_i, z_j) = p(z_j | z_i) / p(z_j),

the Mehler kernel. Pool poses follow p, so this is the OU law itself on the pool, by importance
weights: no pose is moved, and with n poses the error falls as n grows. Every pose meets many
partners, so the pairs cannot be learned by heart.

An arm turned by 2π looks the same, so pictures of N(0, 1) angles do not determine them:
:func:`picture_ceiling` gives the R² that no function of the picture can pass.
"""

from __future__ import annotations

from contextlib import closing

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from agent.interfaces import Array, Image
from envs.reacher import arm_camera

Indices = NDArray[np.int64]
_ROWS_AT_ONCE = 256


def draw_poses(rng: np.random.Generator, count: int) -> Array:
    """Joint angles (count, 2) [rad] from N(0, I)."""
    return rng.standard_normal((count, 2))


def render_poses(poses_rad: Array, image_size: int) -> Image:
    """Pictures uint8 (N, h, w, 3) of the arm at rest in ``poses_rad`` (N, 2)."""
    frames = np.empty((len(poses_rad), image_size, image_size, 3), np.uint8)
    with closing(arm_camera("fast", image_size)) as renderer:
        for index, pose in enumerate(poses_rad):
            frames[index] = renderer.draw(pose)
    return frames


def ou_partners(poses: Array, rho: float, count: int, seed: int) -> Indices:
    """For each of the poses (N, 2), ``count`` OU partners: indices (N, count) into them.

    No pose is its own partner: of two independent draws, none is the other.
    """
    if not 0.0 < rho < 1.0:
        raise ValueError(f"expected rho between 0 and 1, got {rho}")
    pool = torch.from_numpy(poses).float()
    generator = torch.Generator().manual_seed(seed)
    partners = torch.empty(len(pool), count, dtype=torch.int64)
    for first in range(0, len(pool), _ROWS_AT_ONCE):
        rows = pool[first : first + _ROWS_AT_ONCE]
        weights = _mehler(rows, pool, rho)
        weights[torch.arange(len(rows)), torch.arange(first, first + len(rows))] = 0.0
        edges = weights.cumsum(1)
        marks = torch.rand(len(rows), count, generator=generator) * edges[:, -1:]
        found = torch.searchsorted(edges, marks, right=True)
        partners[first : first + len(rows)] = found.clamp_max_(len(pool) - 1)
    return partners.numpy()


def _mehler(rows: Tensor, pool: Tensor, rho: float) -> Tensor:
    """k_ρ (R, N), each row divided by its own constant: exp(−(ρ²|y|² − 2ρ x·y) / 2(1−ρ²))."""
    spread = 2.0 * (1.0 - rho**2)
    log_weight = (2.0 * rho * rows @ pool.T - rho**2 * pool.square().sum(1)) / spread
    return (log_weight - log_weight.amax(1, keepdim=True)).exp_()


def picture_ceiling(std_rad: float = 1.0) -> float:
    """The largest R² of any function of the picture for one raw angle from N(0, std²).

    The picture gives the angle modulo 2π; what remains is the variance between turns,
    E[Var(θ | θ mod 2π)].
    """
    theta = np.linspace(-np.pi, np.pi, 20_001)
    turns = theta + 2.0 * np.pi * np.arange(-4, 5)[:, None]  # (turns, grid)
    density = np.exp(-((turns / std_rad) ** 2) / 2.0) / (std_rad * np.sqrt(2.0 * np.pi))
    total = density.sum(0)
    mean = (density * turns).sum(0) / total
    lost = np.trapezoid((density * (turns - mean) ** 2).sum(0), theta)
    return 1.0 - float(lost) / std_rad**2
