"""The trajectories that were rolled out last: the best of them is linearised next."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from agent.control.model import Situation
from agent.interfaces import FloatArray


class Rolled:
    """What ``roll`` predicts for plans, remembered until other plans are asked for.

    Args:
        roll: embeddings (E, N, H, D) from a situation and plans (E, N, H, K*A).
    """

    def __init__(self, roll: Callable[[Situation, FloatArray], FloatArray]) -> None:
        self._roll = roll
        self._last: tuple[Situation, FloatArray, FloatArray] | None = None

    def keep(self, now: Situation, plans: FloatArray, predicted: FloatArray) -> None:
        """``predicted`` (E, N, H, D) was found for ``plans`` (E, N, H, K*A) as they are now."""
        self._last = (now, plans.copy(), predicted)

    def along(self, now: Situation, plan: FloatArray) -> FloatArray:
        """Embeddings (E, H, D) along one plan (E, H, K*A) each, rolled out if they must be."""
        if self._last is not None and self._last[0] is now:
            same = (self._last[1] == plan[:, None]).all((2, 3))  # (E, N)
            if same.any(1).all():
                known: FloatArray = self._last[2][np.arange(len(plan)), same.argmax(1)]
                return known
        return self._roll(now, plan[:, None])[:, 0]
