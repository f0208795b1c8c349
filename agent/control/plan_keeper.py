"""The plan between two control ticks: shifted by a tick, it is where the next search starts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from agent.errors import UserError
from agent.interfaces import FloatArray
from planners import ActionBounds, CostFn, Deadline, Plan, Planner, SeededNoise


class PlanKeeper:
    """The plan of E episodes, and a random stream for each.

    Args:
        shape: H planner steps, K control ticks in each, A numbers an action.
        seeds: one an episode.
        delay: d ticks between deciding an action and its acting.

    ``plan`` (E, H*K, A) is what is intended from the coming tick on, ``searched`` the same from the
    last search's own tick on; ``cost`` (E,) that of the last search; ``sound`` (E,) tells in which
    episodes it was finite.
    """

    def __init__(self, shape: tuple[int, int, int], seeds: Sequence[int], delay: int = 0) -> None:
        self._shape, self._delay = (len(seeds), *shape), delay
        self._noise = SeededNoise(seeds)
        steps, ticks, width = shape
        self.plan: FloatArray = np.zeros((len(seeds), steps * ticks, width), np.float32)
        self.searched = self.plan
        self.cost = np.full(len(seeds), np.inf)
        self.sound = np.ones(len(seeds), np.bool_)

    def improve(
        self,
        planner: Planner,
        cost: CostFn,
        deadline: Deadline | None = None,
        pending: FloatArray | None = None,
    ) -> FloatArray:
        """Plan from the kept plan; the actions (E, A) to send now. Shifts the plan by a tick.

        ``pending`` (E, d, A) are on their way, and the beginning of every plan.

        The actions are zero, and the kept plan is forgotten, in episodes in which the plan's cost
        is not finite.
        """
        start = self.plan.reshape(self._shape)
        found = planner.plan(cost, start, ActionBounds(), self._noise, deadline)
        self._require_plan(found, type(planner).__name__)
        self.cost, actions = np.asarray(found.cost, np.float64), np.asarray(found.actions)
        self.sound = np.isfinite(self.cost) & np.isfinite(actions).all((1, 2, 3))
        ticks = actions.reshape(self.plan.shape)
        ticks = np.where(self.sound[:, None, None], ticks, np.float32(0)).astype(np.float32)
        if pending is not None:
            ticks[:, : self._delay] = pending
        self.searched = ticks
        self.plan = np.concatenate([ticks[:, 1:], np.zeros_like(ticks[:, :1])], 1)
        return ticks[:, self._delay]

    def _require_plan(self, found: object, whose: str) -> None:
        """A planner may be anybody's."""
        if not isinstance(found, Plan):
            raise UserError(
                f"expected plan() of {whose} to return a planners.Plan, got "
                f"{type(found).__name__}: return Plan(actions, cost, cost_history)"
            )
        for name, wanted in (("actions", self._shape), ("cost", self._shape[:1])):
            shape = np.shape(getattr(found, name))
            if shape != wanted:
                raise UserError(f"expected {name} {wanted} in the Plan of {whose}, got {shape}")
        if (np.abs(found.actions) > 1.0).any():  # what is no number is told by ``sound``
            worst = np.abs(found.actions).max()
            raise UserError(f"expected actions in [-1, 1] in the Plan of {whose}, got {worst:.4g}")

    def forget(self, episodes: NDArray[np.bool_]) -> None:
        """Intend nothing in those ``episodes`` (E,)."""
        self.plan = np.where(episodes[:, None, None], np.float32(0), self.plan)
