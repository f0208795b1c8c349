"""The planner of :mod:`planners.gauss_newton` in numpy.

Projected, damped Gauss-Newton shooting (Nocedal & Wright 2006, Sec. 10.3; Bertsekas 1982), whose
noise comes from a source that is given, so that torch's own can be played back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from agent.deploy.settings import DeploySettings
from agent.interfaces import FloatArray


class Noise(Protocol):
    """Standard normal numbers for E episodes, each from a stream of its own."""

    def __call__(self, shape: tuple[int, ...]) -> FloatArray:
        """The next (E, *shape)."""


class LeastSquares(Protocol):
    """A sum of squares that knows its slope; see :class:`agent.deploy.cost.GoalCost`."""

    def __call__(self, plans: FloatArray) -> FloatArray:
        """(E, N, H, U) -> (E, N)."""

    def linearise(self, plan: FloatArray) -> tuple[FloatArray, FloatArray]:
        """(E, H, U) -> residuals (E, R) and their slopes (E, P, R)."""


class SeededNoise:
    """numpy's generators, one an episode, seeded by ``seeds``."""

    def __init__(self, seeds: Sequence[int]) -> None:
        self._streams = [np.random.default_rng(np.random.SeedSequence(seed)) for seed in seeds]

    def __call__(self, shape: tuple[int, ...]) -> FloatArray:
        """The next (E, *shape)."""
        return np.stack([s.standard_normal(shape, dtype=np.float32) for s in self._streams])


NoiseSource = Callable[[Sequence[int]], Noise]


def plan(
    cost: LeastSquares, warm_start: FloatArray, noise: Noise, settings: DeploySettings
) -> tuple[FloatArray, FloatArray]:
    """The best plan found (E, H, U) within [-1, 1], and its cost (E,), infinite if none is finite.

    It never costs more than ``warm_start``.
    """
    best, best_cost = _start(cost, warm_start, noise, settings)
    for _ in range(settings.iterations):
        trials = _steps(cost, best, settings.dampings)
        trials = np.where(np.isnan(trials), best[:, None], trials)  # a solve that failed
        challenger, its_cost = _cheapest(trials, cost(trials))
        better = its_cost < best_cost
        best = np.where(better[:, None, None], challenger, best)
        best_cost = np.where(better, its_cost, best_cost)
    return best, best_cost


def _start(
    cost: LeastSquares, warm_start: FloatArray, noise: Noise, settings: DeploySettings
) -> tuple[FloatArray, FloatArray]:
    """The cheapest of the warm start and the sampled plans, with its cost."""
    candidates = warm_start[:, None]
    if settings.random_starts:
        white = noise((settings.random_starts, *warm_start.shape[1:]))
        sampled = np.clip(_autoregressive(white, settings.start_correlation), -1, 1)
        candidates = np.concatenate([candidates, sampled], 1)
    return _cheapest(candidates, cost(candidates))


def _autoregressive(white: FloatArray, keep: float) -> FloatArray:
    """White noise (E, N, H, U) made first-order autoregressive in place, variance kept."""
    fresh = (1 - keep**2) ** 0.5
    for time in range(1, white.shape[2]):
        white[:, :, time] = keep * white[:, :, time - 1] + fresh * white[:, :, time]
    return white


def _cheapest(candidates: FloatArray, costs: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The cheapest (E, H, U) of ``candidates`` (E, N, H, U); NaN never wins."""
    costs = np.where(np.isnan(costs), np.float32(np.inf), costs)
    rows, index = np.arange(len(costs)), costs.argmin(1)
    return candidates[rows, index], costs[rows, index]


def _steps(cost: LeastSquares, best: FloatArray, dampings: Sequence[float]) -> FloatArray:
    """One projected Newton step per damping, (E, dampings, H, U)."""
    residuals, slopes = cost.linearise(best)
    variables = best.reshape(len(best), -1)  # (E, P)
    curvature = slopes @ slopes.transpose(0, 2, 1)  # (E, P, P)
    gradient = (slopes @ residuals[..., None])[..., 0]
    free = ~_held_at_bound(variables, gradient)
    scale = np.trace(curvature, axis1=1, axis2=2) / curvature.shape[1]  # (E,)
    added = np.stack([np.maximum(damping * scale, 1e-9) for damping in dampings], 1)
    step = _damped_solve(curvature, gradient, free, added)  # (E, dampings, P)
    moved = np.clip(variables[:, None] - step, -1, 1).astype(np.float32)
    trials: FloatArray = moved.reshape(len(best), len(dampings), *best.shape[1:])
    return trials


def _held_at_bound(variables: FloatArray, gradient: FloatArray) -> np.ndarray:
    """True (E, P) where a variable sits on a bound and the gradient pushes it outwards."""
    margin = 2e-6
    at_low = (variables <= -1 + margin) & (gradient > 0)
    at_high = (variables >= 1 - margin) & (gradient < 0)
    return np.asarray(at_low | at_high)


def _damped_solve(
    curvature: FloatArray, gradient: FloatArray, free: np.ndarray, added: FloatArray
) -> np.ndarray:
    """Steps (E, S, P) with (JᵀJ + added·I) step = gradient on the free variables, else zero.

    NaN where a system cannot be solved, as where the network gave NaN.
    """
    both_free = free[:, :, None] & free[:, None, :]
    system = np.where(both_free, curvature, 0)[:, None].astype(np.float64)  # (E, 1, P, P)
    diagonal = np.where(free[:, None], added[:, :, None], 1.0)  # (E, S, P)
    system = system + diagonal[..., None] * np.eye(curvature.shape[1])
    right = np.where(free, gradient, 0)[:, None, :, None]
    right = np.broadcast_to(right, (*diagonal.shape, 1))
    try:
        return np.linalg.solve(system, right)[..., 0]
    except np.linalg.LinAlgError:
        return np.full(diagonal.shape, np.nan)
