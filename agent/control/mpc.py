"""Model-predictive control: look, embed, plan, send one action, look again.

A plan has H model steps of K actions. One action is sent per control tick; the rest of the plan,
shifted by that tick, is where the next search starts. Where an action acts d ticks after it was
decided, the d actions on their way are part of every plan that is considered, so that the search
begins at the state in which its action will act. The model may be in torch or exported: this is
numpy.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from agent.control.delay_line import DelayLine
from agent.control.detour import Detours, map_of
from agent.control.goal_cost import GoalCost, GoalCostConfig
from agent.control.model import Model, Situation
from agent.control.perception import Perception
from agent.control.plan_keeper import PlanKeeper
from agent.control.watch import TickWatch
from agent.errors import ModelFaultError
from agent.interfaces import Array, Decision, FloatArray, Goals, Needs, Seen
from planners import Deadline, GaussNewtonPlanner, Planner

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class MPCConfig:
    """Settings of the controller.

    ``horizon`` H model steps ahead; ``cost`` weights of its terms; ``drift_gain`` in [0, 1], how
    fast the latest prediction error enters the estimate of the model's drift (0: no estimate);
    ``surprise_limit``, the mean squared error of a prediction beyond which the model is trusted
    for fewer steps than H; ``delay_ticks`` between deciding an action and its acting; ``tick_ms``
    a tick may take before the best plan so far is used; ``guarded``: where what is seen cannot be
    acted on, the action is zero (:mod:`agent.control.guard`); ``detours``: where plans no longer
    come nearer to a goal that is far, a way round is taken (:mod:`agent.control.detour`).
    """

    horizon: int = 8
    cost: GoalCostConfig = field(default_factory=GoalCostConfig)
    drift_gain: float = 0.5
    surprise_limit: float = 0.3
    delay_ticks: int = 0
    tick_ms: float | None = None
    guarded: bool = True
    detours: bool = True

    def __post_init__(self) -> None:
        if self.horizon < 1:
            raise ValueError(f"expected horizon >= 1, got {self.horizon}")
        if self.delay_ticks < 0:
            raise ValueError(f"expected delay_ticks >= 0, got {self.delay_ticks}")
        if self.tick_ms is not None and not self.tick_ms > 0:
            raise ValueError(f"expected tick_ms > 0, got {self.tick_ms}")
        if not 0 <= self.drift_gain <= 1 or not 0 < self.surprise_limit < math.inf:
            raise ValueError(
                "expected drift_gain in [0, 1] and a finite surprise_limit > 0, got "
                f"{self.drift_gain} and {self.surprise_limit}"
            )


class WorldModelController:
    """Steers to a goal image with a world model and a planner; sees pixels only.

    When the model gives numbers that are not finite the decision has a ``fault``: the action is
    zero then, and the next tick is refused. Where its sight fails an episode is ``held`` until it
    returns; a model that knows nothing of its own pictures holds nothing. ``situation`` is what the
    last decision started from, None before the first.

    Raises:
        ValueError: if actions are delayed by as much as the horizon.
    """

    name = "world-model"

    def __init__(
        self,
        model: Model,
        planner: Planner | None = None,
        config: MPCConfig | None = None,
    ) -> None:
        self.model = model
        self.needs = Needs(pixels=True, spec=model.spec)
        self.planner = planner or GaussNewtonPlanner()
        self.config = config or MPCConfig()
        if self.config.delay_ticks >= self.config.horizon * model.action_block:
            raise ValueError(
                f"expected delay_ticks below the {self.config.horizon * model.action_block} ticks "
                f"that are planned, got {self.config.delay_ticks}"
            )
        self.watch = TickWatch(self.config.tick_ms)
        known = self.model.sight if self.config.detours else None
        self._map = map_of(None if known is None else known.embeddings)
        self.situation: Situation | None = None
        self._drift_gain: float | None = self.config.drift_gain
        self._perception: Perception | None = None
        self._fault: str | None = None

    def reset(self, goals: Goals, seeds: Sequence[int]) -> None:
        """Embed the goals and forget the past; episode i owns the random stream ``seeds[i]``.

        Raises:
            UserError: if frames are not of the size the model was trained on.
        """
        config, width = self.config, self.model.spec.action_dim
        sight = self.model.sight if config.guarded else None
        self._perception = Perception(self.model, goals, self._drift_gain, sight)
        shape = (config.horizon, self.model.action_block, width)
        self._plans = PlanKeeper(shape, seeds, config.delay_ticks)
        self._still = np.zeros((len(seeds), width), np.float32)
        self._line = DelayLine(config.delay_ticks)
        patience = config.horizon * self.model.action_block  # what a plan sees ahead
        self._detours = Detours(self._map, len(seeds), patience)
        self._fault = self.situation = None

    def aim(self, goals: Goals) -> None:
        """Pursue other goals from where the episodes are; errors as :meth:`reset`."""
        self._detours.forget(self._begun().aim(goals))

    def act(self, seen: Seen) -> Decision:
        """Actions (E, A), decided at this tick.

        Raises:
            ModelFaultError: if the tick before had a ``fault``.
        """
        perception = self._begun()
        if self._fault is not None:
            raise ModelFaultError(self._fault)
        with self.watch.tick() as deadline:
            perception.see(seen.pixels)
            self.situation = self._situation()
            actions = self._decided(self.situation, perception.held, deadline)
            actions = np.where(perception.held[:, None], np.float32(0), actions)
            perception.history.act(self._line.through(actions))
        sent = actions.astype(np.float64)
        return Decision(sent, self._fault, self.watch.was_late, perception.reasons)

    def recall(self, actions: FloatArray) -> None:
        """What acts from the last tick on was ``actions`` (E, A), not what was decided."""
        self._begun().history.correct(actions)

    @property
    def plan(self) -> Array:
        """The actions (E, H*K, A) intended from the next tick on."""
        self._begun()
        return self._plans.plan.astype(np.float64)

    @property
    def searched(self) -> FloatArray | None:
        """The actions (E, H*K, A) that the last decision planned from ``situation`` on, if any."""
        self._begun()
        return self._plans.searched

    @property
    def surprise(self) -> Array:
        """(E,) mean squared error of the last prediction, beyond the estimated drift."""
        return self._begun().surprise.astype(np.float64)

    @property
    def goals(self) -> FloatArray:
        """(E, D), the goals' embeddings; ``situation`` has what is aimed at."""
        return self._begun().goals

    @property
    def goes_round(self) -> NDArray[np.bool_]:
        """(E,): which episodes aim elsewhere than at their goal for now, on a way round."""
        self._begun()
        return self._detours.under_way

    def _begun(self) -> Perception:
        assert self._perception is not None, "reset() comes first"
        return self._perception

    def _situation(self) -> Situation:
        seen, limit = self._begun(), np.float32(self.config.surprise_limit)
        share = limit / np.maximum(seen.surprise, limit)
        reach = np.maximum(np.ceil(self.config.horizon * share), 1 + self.config.delay_ticks)
        embeddings, past = seen.history.embeddings(), seen.history.blocks()
        aims = self._detours.targets(embeddings[:, -1], seen.goals)
        pending = self._line.on_the_way(self._still)
        return Situation(embeddings, past, aims, seen.drift, pending, reach)

    def _decided(
        self, now: Situation, held: NDArray[np.bool_], deadline: Deadline | None
    ) -> FloatArray:
        """Actions (E, A), zero where there is a fault, which is noted."""
        cost = GoalCost(self.model, now, self.config.cost, self.config.horizon)
        actions = self._plans.improve(self.planner, cost, deadline, now.pending)
        self._detours.note(self._plans.cost, held)
        self._plans.forget(held)
        self._note_faults(self._plans.sound)
        return actions

    def _note_faults(self, sound: NDArray[np.bool_]) -> None:
        if sound.all():
            return
        which = ", ".join(map(str, np.flatnonzero(~sound)))
        whose = "model" if not np.isfinite(self._plans.cost).all() else "planner"
        self._fault = (
            f"the {whose} gave numbers that are not finite: zero action was sent "
            f"(episode {which} of {len(sound)})"
        )
        logger.error(self._fault)
