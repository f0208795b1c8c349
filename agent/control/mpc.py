"""Model-predictive control: look, embed, plan, send one torque, look again.

A plan has H model steps of K torques. One torque is sent per control tick; the rest of the plan,
shifted by that tick, is where the next search starts. Where a torque acts d ticks after it was
decided, the d torques on their way are part of every plan that is considered, so that the search
begins at the state in which its torque will act.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from agent.control.direct import propose
from agent.control.goal_cost import EmbeddingGoalCost, GoalCostConfig, Situation
from agent.control.perception import Perception
from agent.control.plan_keeper import PlanKeeper
from agent.control.watch import TickWatch
from agent.errors import ModelFaultError
from agent.interfaces import Array, GoalObservation
from agent.model.world_model import WorldModel
from planners import GaussNewtonPlanner, Planner

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class MPCConfig:
    """Settings of the controller.

    ``horizon`` H model steps ahead; ``cost`` weights of its terms; ``drift_gain`` in [0, 1], how
    fast the latest prediction error enters the estimate of the model's drift (0: no estimate);
    ``surprise_limit``, the mean squared error of a prediction beyond which the model is trusted
    for fewer steps than H; ``delay_ticks`` between deciding a torque and its acting; ``tick_ms``
    a tick may take before the best plan so far is used; ``propose``: what the model's action head
    would do is one of the plans that the search starts from, if the model has one.
    """

    horizon: int = 8
    cost: GoalCostConfig = field(default_factory=GoalCostConfig)
    drift_gain: float = 0.5
    surprise_limit: float = 0.3
    delay_ticks: int = 0
    tick_ms: float | None = None
    propose: bool = False

    def __post_init__(self) -> None:
        if self.horizon < 1 or self.delay_ticks < 0:
            raise ValueError(
                "expected horizon >= 1 and delay_ticks >= 0, got "
                f"{self.horizon} and {self.delay_ticks}"
            )
        if not 0 <= self.drift_gain <= 1 or not self.surprise_limit > 0:
            raise ValueError(
                "expected drift_gain in [0, 1] and surprise_limit > 0, got "
                f"{self.drift_gain} and {self.surprise_limit}"
            )


class WorldModelController:
    """Steers to a goal image with a world model and a planner; sees pixels only.

    ``fault`` says what went wrong when the model gave numbers that are not finite. The torque
    is zero then, and the next tick is refused.

    Raises:
        ValueError: if torques are delayed by as much as the horizon.
    """

    name = "world-model"
    needs_pixels = True

    def __init__(
        self,
        model: WorldModel,
        planner: Planner | None = None,
        config: MPCConfig | None = None,
    ) -> None:
        self.model = model.eval()
        self.planner = planner or GaussNewtonPlanner()
        self.config = config or MPCConfig()
        self.render_profile = model.config.render_profile  # evaluation checks these three
        self.image_size = model.config.encoder.image_size
        self.action_repeat = model.config.action_repeat
        if self.config.delay_ticks >= self.config.horizon * model.config.action_block:
            raise ValueError(
                f"expected delay_ticks below the horizon of {self.config.horizon} model steps, "
                f"got {self.config.delay_ticks}"
            )
        self.watch = TickWatch(self.config.tick_ms)
        self.fault: str | None = None
        self._perception: Perception | None = None

    @torch.no_grad()
    def reset(self, observations: Sequence[GoalObservation], seeds: Sequence[int]) -> None:
        """Embed the goals and forget the past; episode i owns the random stream ``seeds[i]``.

        Raises:
            UserError: if frames are not of the size the model was trained on.
        """
        settings, config = self.model.config, self.config
        self._perception = Perception(self.model, observations, config.drift_gain)
        self._plans = PlanKeeper(
            config.horizon, settings.action_block, settings.torque_dim, seeds, config.delay_ticks
        )
        self._pending = torch.zeros(len(seeds), config.delay_ticks, settings.torque_dim)
        self.fault = None

    @torch.no_grad()
    def act(self, observations: Sequence[GoalObservation]) -> Array:
        """Torques (E, A), decided at this tick.

        Raises:
            ModelFaultError: if the tick before had a ``fault``.
        """
        assert self._perception is not None, "act() before reset()"
        if self.fault is not None:
            raise ModelFaultError(self.fault)
        with self.watch.tick() as deadline:
            self._perception.see(observations)
            now = self._situation()
            cost = EmbeddingGoalCost(self.model, now, self.config.cost)
            idea = propose(self.model, now, self.config.horizon) if self.config.propose else None
            torques = self._plans.improve(self.planner, cost, idea, deadline)
            self._send(torques)
            self._note_faults()
            result: Array = torques.double().numpy()
        return result

    def _situation(self) -> Situation:
        seen = self._perception
        assert seen is not None
        limit = self.config.surprise_limit / seen.surprise.clamp_min(self.config.surprise_limit)
        reach = (self.config.horizon * limit).ceil().clamp_min(1 + self.config.delay_ticks)
        return Situation(seen.embeddings, seen.past, seen.goals, seen.drift, self._pending, reach)

    def _send(self, torques: Tensor) -> None:
        """Queue ``torques``; the first in the queue act from now to the next tick."""
        assert self._perception is not None
        queue = torch.cat([self._pending, torques[:, None]], 1)
        self._perception.act(queue[:, 0])
        self._pending = queue[:, 1:]

    def _note_faults(self) -> None:
        if self._plans.sound.all():
            return
        which = (~self._plans.sound).nonzero().flatten().tolist()
        self.fault = (
            "the model gave numbers that are not finite: zero torque was sent "
            f"(episode {', '.join(map(str, which))} of {len(self._plans.sound)})"
        )
        logger.error(self.fault)
