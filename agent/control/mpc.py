"""Model-predictive control: look, embed, plan, send one torque, look again.

A plan has H model steps of K torques. One torque is sent per control tick; the rest of the plan,
shifted by that tick, is where the next search starts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from agent.control.goal_cost import EmbeddingGoalCost, GoalCostConfig
from agent.control.history import TickHistory
from agent.errors import UserError
from agent.interfaces import Array, GoalObservation
from agent.model.world_model import WorldModel
from planners import ActionBounds, GaussNewtonPlanner, LeastSquaresCost, Planner


@dataclass(frozen=True)
class MPCConfig:
    """Settings of the controller.

    ``horizon`` H model steps ahead; ``cost`` weights of the torque terms; ``drift_gain`` in
    [0, 1], how fast the latest prediction error enters the estimate of the model's drift (0: no
    estimate).
    """

    horizon: int = 8
    cost: GoalCostConfig = field(default_factory=GoalCostConfig)
    drift_gain: float = 0.5


class PlanKeeper:
    """The plan of E episodes at tick resolution, and a random stream for each.

    Args:
        horizon: H planner steps.
        action_block: K control ticks in a planner step.
        torque_dim: A.
        seeds: one an episode.
    """

    def __init__(self, horizon: int, action_block: int, torque_dim: int, seeds: Sequence[int]):
        self._shape = (len(seeds), horizon, action_block * torque_dim)
        self._torques = torch.zeros(len(seeds), horizon * action_block, torque_dim)
        self._generators = [torch.Generator().manual_seed(int(seed)) for seed in seeds]

    def improve(self, planner: Planner, cost: LeastSquaresCost) -> Tensor:
        """Plan from the kept plan; returns the torques (E, A) to send now and shifts by a tick."""
        warm_start = self._torques.reshape(self._shape)
        plan = planner.plan(cost, warm_start, ActionBounds(), self._generators)
        ticks = plan.actions.reshape(self._torques.shape)
        self._torques = torch.cat([ticks[:, 1:], torch.zeros_like(ticks[:, :1])], 1)
        return ticks[:, 0]


class WorldModelController:
    """Steers to a goal image with a world model and a planner; sees pixels only."""

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
        self._history: TickHistory | None = None

    @torch.no_grad()
    def reset(self, observations: Sequence[GoalObservation], seeds: Sequence[int]) -> None:
        """Embed the goals and forget the past; episode i owns the random stream ``seeds[i]``.

        Raises:
            UserError: if frames are not of the size the model was trained on.
        """
        settings = self.model.config
        self._history = TickHistory(self.model.context, settings.action_block, settings.torque_dim)
        self._plans = PlanKeeper(
            self.config.horizon, settings.action_block, settings.torque_dim, seeds
        )
        self._goals = self._encode([o.goal_pixels for o in observations])
        self._drift = torch.zeros_like(self._goals)

    @torch.no_grad()
    def act(self, observations: Sequence[GoalObservation]) -> Array:
        """Torques (E, A) for the coming tick."""
        assert self._history is not None, "act() before reset()"
        self._history.see(self._encode([o.pixels for o in observations]))
        self._estimate_drift(self._history)
        cost = EmbeddingGoalCost(
            self.model,
            self._history.embeddings(),
            self._history.torque_blocks(),
            self._goals,
            self.config.cost,
            self._drift,
        )
        torques = self._plans.improve(self.planner, cost)
        self._history.act(torques)
        result: Array = torques.double().numpy()
        return result

    def _estimate_drift(self, history: TickHistory) -> None:
        """Offset-free control: let a lasting prediction error be part of the model.

        (Pannocchia & Rawlings 2003, AIChE J. 49(2), a disturbance on the state.) Without it the
        arm comes to rest where the model's error balances the cost, not at the goal.
        """
        transition = history.last_transition()
        if transition is not None:
            embeddings, blocks, now = transition
            missed = now - self.model.predictor(embeddings, blocks)
            self._drift = torch.lerp(self._drift, missed, self.config.drift_gain)

    def _encode(self, frames: Sequence[np.ndarray]) -> Tensor:
        size = self.model.config.encoder.image_size
        for frame in frames:
            if frame.shape != (size, size, 3) or frame.dtype != np.uint8:
                raise UserError(
                    f"expected frames uint8 ({size}, {size}, 3), as the model was trained on, "
                    f"got {frame.dtype} {frame.shape}"
                )
        return self.model.encode(torch.from_numpy(np.stack(frames)))
