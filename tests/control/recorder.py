"""A planner that is told what to plan."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from known_world import Array

from planners import ActionBounds, CostFn, Deadline, Noise, Plan


class Recorder:
    """A planner that returns what it is told and remembers what it was asked."""

    def __init__(self, plans: Sequence[Array]) -> None:
        self.plans = list(plans)
        self.starts: list[Array] = []
        self.costs: list[Any] = []

    def plan(
        self,
        cost_fn: CostFn,
        warm_start: Array,
        bounds: ActionBounds,
        noise: Noise,
        deadline: Deadline | None = None,
    ) -> Plan:
        self.starts.append(warm_start)
        self.costs.append(cost_fn)
        actions = self.plans[len(self.starts) - 1]
        return Plan(actions, np.zeros(len(actions)), np.zeros((1, len(actions))))
