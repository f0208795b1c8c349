"""Box-constrained Gauss-Newton shooting with Levenberg-Marquardt damping.

The goal cost is a sum of squares of a smooth, low-dimensional rollout, so its curvature is known
to first order: H ≈ JᵀJ (Nocedal & Wright 2006, Sec. 10.3). Torque limits are handled by a
projected Newton step: variables held at a bound by the gradient leave the linear system
(Bertsekas 1982, "Projected Newton methods", Sec. 2). The rollout is linearised once per
iteration and several damping values are tried side by side, which costs one small batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from planners.base import ActionBounds, CostFn, Deadline, LeastSquaresCost, Plan
from planners.sampling import autoregressive, plan_noise
from planners.search import Search


@dataclass(frozen=True)
class GaussNewtonConfig:
    """Settings of the Gauss-Newton planner.

    ``iterations`` linearisations: one is enough where the plan is improved again at every control
    tick (real-time iteration, Diehl et al. 2005, SIAM J. Control Optim. 43(5)). ``dampings``
    relative to the mean curvature, all tried; ``random_starts`` sampled plans that compete with
    the warm start before the first iteration; ``start_correlation`` in [0, 1) of their noise
    between planner steps.
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


class GaussNewtonPlanner:
    """Second-order shooting over a batch of episodes; needs a :class:`LeastSquaresCost`."""

    def __init__(self, config: GaussNewtonConfig | None = None) -> None:
        self.config = config or GaussNewtonConfig()

    def plan(
        self,
        cost_fn: CostFn,
        warm_start: Tensor,
        bounds: ActionBounds,
        generators: Sequence[torch.Generator],
        deadline: Deadline | None = None,
    ) -> Plan:
        """See :class:`planners.base.Planner`.

        Raises:
            ValueError: also if ``cost_fn`` cannot be linearised.
        """
        search = Search(cost_fn, warm_start, bounds, generators, deadline)
        if not isinstance(cost_fn, LeastSquaresCost):
            raise ValueError(
                "expected a cost with linearise() (LeastSquaresCost), got a plain function; "
                "use CEMPlanner for costs without a slope"
            )
        if not search.is_late:
            search.try_all(self._starts(search.best, bounds, generators))
        for _ in search.rounds(self.config.iterations):
            trials = self._steps(cost_fn, search.best, bounds)  # (E, dampings, H, U)
            failed = trials.isnan()  # where the linear system could not be solved
            search.try_all(torch.where(failed, search.best[:, None], trials))
        return search.plan()

    def _starts(
        self, warm_start: Tensor, bounds: ActionBounds, generators: Sequence[torch.Generator]
    ) -> Tensor:
        """The warm start, then the sampled plans (E, 1 + random_starts, H, U)."""
        if not self.config.random_starts:
            return warm_start[:, None]
        colour = partial(autoregressive, keep=self.config.start_correlation)
        count, width = self.config.random_starts, warm_start.shape[2]
        noise = plan_noise(generators, count, warm_start, width, colour)
        return torch.cat([warm_start[:, None], bounds.clip(noise)], 1)

    def _steps(self, cost_fn: LeastSquaresCost, plan: Tensor, bounds: ActionBounds) -> Tensor:
        """One projected Newton step per damping, (E, dampings, H, U)."""
        residual, jacobian = cost_fn.linearise(plan)
        variables = plan.flatten(1)  # (E, P)
        curvature = jacobian.transpose(1, 2) @ jacobian  # (E, P, P)
        scale = curvature.diagonal(dim1=1, dim2=2).mean(1)[:, None]  # (E, 1)
        gradient = (jacobian.transpose(1, 2) @ residual[..., None])[..., 0]
        free = (~_held_at_bound(variables, gradient, bounds)).to(plan.dtype)
        return torch.stack(
            [
                bounds.clip(
                    variables - _damped_solve(curvature, gradient, free, damping * scale)
                ).reshape(plan.shape)
                for damping in self.config.dampings
            ],
            dim=1,
        )


def _held_at_bound(variables: Tensor, gradient: Tensor, bounds: ActionBounds) -> Tensor:
    """True (E, P) where a variable sits on a bound and the gradient pushes it outwards."""
    margin = 1e-6 * (bounds.high - bounds.low)
    at_low = (variables <= bounds.low + margin) & (gradient > 0)
    at_high = (variables >= bounds.high - margin) & (gradient < 0)
    return at_low | at_high


def _damped_solve(curvature: Tensor, gradient: Tensor, free: Tensor, damping: Tensor) -> Tensor:
    """Solve (JᵀJ + damping·I) step = gradient on the free variables; zero step elsewhere."""
    system = curvature * free[:, :, None] * free[:, None, :]
    system = system + torch.diag_embed(free * damping.clamp_min(1e-9) + (1 - free))
    factor = torch.linalg.cholesky_ex(system).L
    return torch.cholesky_solve((gradient * free)[..., None], factor)[..., 0]
