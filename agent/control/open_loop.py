"""Planning as LeWorldModel does it: look, search long, then send the plan with eyes closed.

(Maes et al. 2026, arXiv:2603.19312, Sec. 4, and the public evaluation.) The search starts from
the current frame alone, so velocity is unknown to it; the cost is the squared distance of the last
predicted embedding to the goal's; the plan is sent to its end before the next look. It is the
opposite of :mod:`agent.control.mpc` in each of these, which is what the comparison is about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from agent.errors import UserError
from agent.interfaces import Array, GoalObservation
from agent.model.transformer import TransformerPredictor
from agent.model.world_model import WorldModel
from planners import ActionBounds, CEMConfig, CEMPlanner, Planner

UNIFORM_STD = 3.0**-0.5  # of a torque uniform in [-1, 1]: the unit that the published search uses
LEWM_CEM = CEMConfig(
    samples=300, iterations=30, elites=30, initial_std=UNIFORM_STD, min_std=1e-3, correlation=0.0
)


@dataclass(frozen=True)
class OpenLoopConfig:
    """``horizon`` H model steps are searched, the first ``executed`` of them sent open loop."""

    horizon: int = 5
    executed: int = 5

    def __post_init__(self) -> None:
        if not 1 <= self.executed <= self.horizon:
            raise ValueError(
                f"expected 1 <= executed <= horizon, got {self.executed} and {self.horizon}"
            )


class TerminalCost:
    """Squared distance to the goal at the end of a plan, nothing else.

    Args:
        model: in evaluation mode, with a predictor that can be shown a single frame.
        now: (E, D), embeddings of the current frames.
        goals: (E, D), embeddings of the goal images.
    """

    def __init__(self, model: WorldModel, now: Tensor, goals: Tensor) -> None:
        self.model, self.now, self.goals = model, now, goals

    @torch.no_grad()
    def __call__(self, actions: Tensor) -> Tensor:
        """(E, N, H, K*A) -> (E, N)."""
        last = imagine(self.model, self.now, actions)[:, :, -1]  # (E, N, D)
        return (last - self.goals[:, None]).square().sum(-1)


def imagine(model: WorldModel, now: Tensor, actions: Tensor) -> Tensor:
    """Embeddings (E, N, H, D) that ``actions`` (E, N, H, K*A) lead to from ``now`` (E, D).

    The predictor is shown one embedding at first, then one more at every step up to L.
    """
    episodes, count, horizon, _ = actions.shape
    seen = now[:, None, None].expand(episodes, count, 1, -1)
    for step in range(horizon):
        first = max(0, step + 1 - model.context)
        following = model.predictor(seen[:, :, first:], actions[:, :, first : step + 1])
        seen = torch.cat([seen, following[:, :, None]], 2)
    return seen[:, :, 1:]


class OpenLoopController:
    """Steers to a goal image by plans sent to their end; sees pixels only.

    Raises:
        UserError: for a model whose predictor needs all L frames.
    """

    name = "lewm"
    needs_pixels = True

    def __init__(
        self,
        model: WorldModel,
        planner: Planner | None = None,
        config: OpenLoopConfig | None = None,
    ) -> None:
        if not isinstance(model.predictor, TransformerPredictor):
            raise UserError(
                "expected a model of the preset lewm, whose predictor can start from one frame, "
                "got a residual predictor: evaluate it with --controller world-model"
            )
        self.model = model.eval()
        self.planner = planner or CEMPlanner(LEWM_CEM)
        self.config = config or OpenLoopConfig()
        self.render_profile = model.config.render_profile  # evaluation checks these three
        self.image_size = model.config.encoder.image_size
        self.action_repeat = model.config.action_repeat
        self._pending: list[Tensor] = []

    @torch.no_grad()
    def reset(self, observations: Sequence[GoalObservation], seeds: Sequence[int]) -> None:
        """Embed the goals and drop the plan; episode i owns the random stream ``seeds[i]``.

        Raises:
            UserError: if frames are not of the size the model was trained on.
        """
        self._generators = [torch.Generator().manual_seed(int(seed)) for seed in seeds]
        self._goals = self._encode([o.goal_pixels for o in observations])
        self._pending = []

    @torch.no_grad()
    def act(self, observations: Sequence[GoalObservation]) -> Array:
        """Torques (E, A) for the coming tick; frames are looked at only when a plan is at its end.

        Raises:
            UserError: as :meth:`reset`.
        """
        if not self._pending:
            self._pending = self._plan([o.pixels for o in observations])
        torques: Array = self._pending.pop(0).double().numpy()
        return torques

    def _plan(self, frames: Sequence[np.ndarray]) -> list[Tensor]:
        """Torques (E, A) of the coming ticks, one after another."""
        settings = self.model.config
        cost = TerminalCost(self.model, self._encode(frames), self._goals)
        start = torch.zeros(len(self._goals), self.config.horizon, settings.action_width)
        plan = self.planner.plan(cost, start, ActionBounds(), self._generators)
        sent = plan.actions[:, : self.config.executed]
        ticks = sent.reshape(len(sent), -1, settings.torque_dim)  # (E, executed*K, A)
        return list(ticks.unbind(1))

    def _encode(self, frames: Sequence[np.ndarray]) -> Tensor:
        size = self.image_size
        for frame in frames:
            if frame.shape != (size, size, 3) or frame.dtype != np.uint8:
                raise UserError(
                    f"expected frames uint8 ({size}, {size}, 3), as the model was trained on, "
                    f"got {frame.dtype} {frame.shape}"
                )
        return self.model.encode(torch.from_numpy(np.stack(frames)))
