"""The action head alone: a controller without any search."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from agent.control.model import Situation
from agent.control.mpc import MPCConfig, WorldModelController
from agent.control.perception import Perception
from agent.control.torch_model import TorchModel
from agent.errors import UserError
from agent.interfaces import Array, FloatArray, Goals
from planners import Deadline

_NEAR = 0.1  # mean squared difference of embeddings; of two poses anywhere it is about 2
_GAIN = 0.15  # of what is lacking, a tick
_FARTHEST = 1.0  # root mean square of the sum: nothing winds up where the world is held fast


class DirectController(WorldModelController):
    """Steers to a goal image with the model's action head; sees pixels only.

    Faults, holding and what follows from them are the same. ``delay_ticks`` lie between deciding an
    action and its acting: it acts on what it foresees for then. It judges no prediction and aims at
    nothing but its goals.

    Raises:
        UserError: if the model has no head.
    """

    name = "direct"

    def __init__(
        self,
        model: TorchModel,
        tick_ms: float | None = None,
        guarded: bool = True,
        delay_ticks: int = 0,
    ) -> None:
        if model.network.head is None:
            raise UserError(
                "expected a world model with an action head, got one without: train again with "
                "a preset that has one, such as default, or use --controller world-model"
            )
        horizon = max(1, delay_ticks + 1)  # it plans nothing: any delay is within it
        super().__init__(
            model,
            config=MPCConfig(
                horizon, delay_ticks=delay_ticks, tick_ms=tick_ms, guarded=guarded, detours=False
            ),
        )
        self._drift_gain = None
        self._propose = model.propose
        self._lacked: FloatArray = np.zeros((0, 0), np.float32)

    def reset(self, goals: Goals, seeds: Sequence[int]) -> None:
        """Embed the goals and forget the past; nothing is drawn at random."""
        super().reset(goals, seeds)
        self._lacked = np.zeros_like(self.goals)

    def aim(self, goals: Goals) -> None:
        """Pursue other goals from where the episodes are."""
        others = self._begun().aim(goals)
        self._lacked = np.where(others[:, None], np.float32(0), self._lacked)

    @property
    def searched(self) -> None:
        """It plans nothing."""

    @property
    def plan(self) -> Array:
        """No actions (E, 0, A) beyond the one that is sent."""
        return super().plan[:, :0]

    def _decided(
        self, now: Situation, held: NDArray[np.bool_], deadline: Deadline | None
    ) -> FloatArray:
        actions = self._propose(now)[:, : self.model.spec.action_dim]
        sound = np.asarray(np.isfinite(actions).all(1))
        if not sound.all():
            self._fault = "the action head gave NaN or infinity: zero action was sent"
        return np.where(sound[:, None], actions, np.float32(0))

    def _situation(self) -> Situation:
        """At the tick at which what is decided now will act."""
        seen, pending = self._begun(), self._line.on_the_way(self._still)
        goals = self._beyond(seen)
        there = seen.history.foreseen(self.model.predict, pending)
        nothing, reach = pending[:, :0], np.ones(len(goals), np.float32)
        return Situation(there.embeddings(), there.blocks(), goals, seen.drift, nothing, reach)

    def _beyond(self, seen: Perception) -> FloatArray:
        """Goals (E, D) moved on by what was lacking near them, summed up tick by tick.

        Integral action (Åström & Murray 2008, Feedback Systems, Sec. 10.1): a head has learned to
        rest at goals in a model that errs a little, and would come to rest beside them.
        """
        lacking = seen.goals - seen.history.embeddings()[:, -1]
        near = np.square(lacking).mean(-1) < _NEAR
        summed = self._lacked + np.float32(_GAIN) * lacking
        size = np.sqrt(np.square(summed).mean(-1, keepdims=True))
        summed = summed / np.maximum(size / np.float32(_FARTHEST), np.float32(1))
        self._lacked = np.where((near & ~seen.held)[:, None], summed, np.float32(0))
        return seen.goals + self._lacked
