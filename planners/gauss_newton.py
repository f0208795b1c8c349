"""Box-constrained Gauss-Newton shooting with Levenberg-Marquardt damping.

The goal cost is a sum of squares of a smooth, low-dimensional rollout, so its curvature is known
to first order: H ≈ JᵀJ (Nocedal & Wright 2006, Sec. 10.3). The box is respected by a
projected Newton step: variables held at a bound by the gradient leave the linear system
(Bertsekas 1982, "Projected Newton methods", Sec. 2). The rollout is linearised once per
iteration and several damping values are tried side by side, which costs one small batch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planners.base import ActionBounds, Array, Noise
from planners.sampling import autoregressive
from planners.search import Search, SearchPlanner


@dataclass(frozen=True)
class GaussNewtonPlanner(SearchPlanner):
    """Second-order shooting over a batch of episodes; needs a :class:`LeastSquaresCost`.

    ``iterations`` linearisations: one is enough where the plan is improved again at every control
    tick (real-time iteration, Diehl et al. 2005, SIAM J. Control Optim. 43(5)). ``dampings``
    relative to the mean curvature, all tried; ``random_starts`` sampled plans that compete with
    the first step from the warm start, in the same rollout; ``start_correlation`` in [0, 1) of
    their noise between planner steps. What the plan itself costs, its residuals say.
    """

    iterations: int = 1
    dampings: tuple[float, ...] = (1e-3, 1e-2, 1e-1, 1.0)
    random_starts: int = 4
    start_correlation: float = 0.9

    def __post_init__(self) -> None:
        if self.iterations < 1:
            raise ValueError(f"expected iterations >= 1, got {self.iterations}")
        if not self.dampings or min(self.dampings) <= 0:
            raise ValueError(f"expected positive dampings, got {self.dampings}")
        if not 0.0 <= self.start_correlation < 1.0:
            raise ValueError(f"expected start_correlation in [0, 1), got {self.start_correlation}")

    def improve(self, search: Search, bounds: ActionBounds, noise: Noise) -> None:
        """See :class:`planners.search.SearchPlanner`."""
        cost, sampled = search.least_squares(), self._sampled(search.best, bounds, noise)
        for number in search.rounds(self.iterations):
            residuals, slopes = cost.linearise(search.best)
            trials = self._steps(residuals, slopes, search.best, bounds)
            failed = np.isnan(trials)  # where the linear system could not be solved
            trials = np.where(failed, search.best[:, None], trials)
            trials = trials if number else np.concatenate([sampled, trials], 1)
            search.try_all(trials, known=np.square(residuals).sum(1))

    def _sampled(self, warm_start: Array, bounds: ActionBounds, noise: Noise) -> Array:
        """Plans (E, random_starts, H, K, A) from nowhere."""
        count, steps = self.random_starts, warm_start.shape[1]
        white = noise.normal((count, steps, warm_start[0, 0].size))
        shaken = autoregressive(white, self.start_correlation)
        return bounds.clip(shaken).reshape(len(warm_start), count, *warm_start.shape[1:])

    def _steps(self, residuals: Array, slopes: Array, plan: Array, bounds: ActionBounds) -> Array:
        """One projected Newton step per damping, (E, dampings, H, K, A)."""
        variables = plan.reshape(len(plan), -1)  # (E, P)
        curvature = slopes @ slopes.transpose(0, 2, 1)  # (E, P, P)
        gradient = (slopes @ residuals[..., None])[..., 0]
        free = ~_held_at_bound(variables, gradient, bounds)
        scale = np.trace(curvature, axis1=1, axis2=2) / curvature.shape[1]  # (E,)
        added = np.maximum(np.outer(scale, self.dampings), 1e-9)  # (E, dampings)
        step = _damped_solve(curvature, gradient, free, added)
        moved = bounds.clip(variables[:, None] - step).astype(plan.dtype)
        return moved.reshape(len(plan), -1, *plan.shape[1:])


def _held_at_bound(variables: Array, gradient: Array, bounds: ActionBounds) -> NDArray[np.bool_]:
    """True (E, P) where a variable sits on a bound and the gradient pushes it outwards."""
    margin = 1e-6 * (bounds.high - bounds.low)
    at_low = (variables <= bounds.low + margin) & (gradient > 0)
    at_high = (variables >= bounds.high - margin) & (gradient < 0)
    return np.asarray(at_low | at_high)


def _damped_solve(
    curvature: Array, gradient: Array, free: NDArray[np.bool_], added: Array
) -> Array:
    """Steps (E, S, P) with (JᵀJ + added·I) step = gradient on the free variables, else zero.

    NaN in the episodes whose systems cannot be solved, as where the network gave NaN.
    """
    both_free = free[:, :, None] & free[:, None, :]
    system = np.where(both_free, curvature, 0)[:, None].astype(np.float64)  # (E, 1, P, P)
    diagonal = np.where(free[:, None], added[:, :, None], 1.0)  # (E, S, P)
    system = system + diagonal[..., None] * np.eye(curvature.shape[1])
    right = np.broadcast_to(np.where(free, gradient, 0)[:, None, :], diagonal.shape)[..., None]
    try:
        return np.linalg.solve(system, right)[..., 0]
    except np.linalg.LinAlgError:  # of one episode at least, and numpy does not say which
        return np.stack([_solved(*one) for one in zip(system, right, strict=True)])


def _solved(system: Array, right: Array) -> Array:
    """Steps (S, P) of one episode, NaN if they cannot be found."""
    try:
        return np.linalg.solve(system, right)[..., 0]
    except np.linalg.LinAlgError:
        return np.full(right.shape[:-1], np.nan)
