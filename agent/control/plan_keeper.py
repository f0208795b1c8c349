"""The plan between two control ticks: shifted by a tick, it is where the next search starts."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from planners import ActionBounds, CostFn, Deadline, Planner


class PlanKeeper:
    """The plan of E episodes at tick resolution, and a random stream for each.

    Args:
        horizon: H planner steps.
        action_block: K control ticks in a planner step.
        torque_dim: A.
        seeds: one an episode.
        delay: d ticks between deciding a torque and its acting.

    ``sound`` (E,) tells in which episodes the last plan had a finite cost.
    """

    def __init__(
        self,
        horizon: int,
        action_block: int,
        torque_dim: int,
        seeds: Sequence[int],
        delay: int = 0,
    ) -> None:
        self._shape = (len(seeds), horizon, action_block * torque_dim)
        self._torques = torch.zeros(len(seeds), horizon * action_block, torque_dim)
        self._generators = [torch.Generator().manual_seed(int(seed)) for seed in seeds]
        self._delay = delay
        self.sound = torch.ones(len(seeds), dtype=torch.bool)

    def improve(
        self,
        planner: Planner,
        cost: CostFn,
        proposal: Tensor | None = None,
        deadline: Deadline | None = None,
    ) -> Tensor:
        """Plan from the kept plan; the torques (E, A) to send now. Shifts the plan by a tick.

        ``proposal`` (E, H, K*A), if given, is where the search starts in those episodes in which
        the model finds it cheaper than the kept plan. The torques are zero, and the kept plan
        is forgotten, in episodes in which the plan's cost is not finite.
        """
        start = self._torques.reshape(self._shape)
        if proposal is not None:
            kept, proposed = cost(torch.stack([start, proposal], 1)).unbind(1)
            start = torch.where((proposed < kept)[:, None, None], proposal, start)
        plan = planner.plan(cost, start, ActionBounds(), self._generators, deadline)
        self.sound = plan.cost.isfinite() & plan.actions.isfinite().flatten(1).all(1)
        ticks = plan.actions.reshape(self._torques.shape)
        ticks = torch.where(self.sound[:, None, None], ticks, 0.0)
        self._torques = torch.cat([ticks[:, 1:], torch.zeros_like(ticks[:, :1])], 1)
        return ticks[:, self._delay]
