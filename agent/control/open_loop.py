"""Planning as LeWorldModel does it: look, search long, then send the plan with eyes closed.

(Maes et al. 2026, arXiv:2603.19312, Sec. 4, and the public evaluation.) The search starts from
the current frame alone, so velocity is unknown to it; the cost is the squared distance of the last
predicted embedding to the goal's; the plan is sent to its end before the next look. It is the
opposite of :mod:`agent.control.mpc` in each of these, which is what the comparison is about: any
world model can be planned with in this way. One that needs several frames is told that the world
was at rest before the current one, which is all that a single frame can say.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

import numpy as np
import torch
from torch import Tensor

from agent.control.perception import embedded
from agent.control.torch_model import TorchModel
from agent.errors import ModelFaultError
from agent.interfaces import Decision, FloatArray, Goals, Needs, Seen
from agent.model.transformer import TransformerPredictor
from agent.model.world_model import WorldModel
from planners import ActionBounds, CEMPlanner, Planner, SeededNoise

PLANNED_TICKS = 25  # in whole model steps; so many are sent before the next look
UNIFORM_STD = 3.0**-0.5  # of an action uniform in [-1, 1]: the unit that the published search uses
LEWM_CEM = CEMPlanner(
    samples=300, iterations=30, elites=30, initial_std=UNIFORM_STD, min_std=1e-3, correlation=0.0
)


class TerminalCost:
    """Squared distance to the goal at the end of a plan, nothing else.

    Args:
        network: in evaluation mode.
        now: (E, D), embeddings of the current frames.
        goals: (E, D), embeddings of the goal images.
    """

    def __init__(self, network: WorldModel, now: FloatArray, goals: FloatArray) -> None:
        self.network, self.now, self.goals = network, torch.from_numpy(now), torch.from_numpy(goals)

    @torch.inference_mode()
    def __call__(self, plans: FloatArray) -> FloatArray:
        """(E, N, H, K, A) -> (E, N)."""
        blocks = torch.from_numpy(plans.astype(np.float32)).flatten(3)
        last = imagine(self.network, self.now, blocks)[:, :, -1]  # (E, N, D)
        return (last - self.goals[:, None]).square().sum(-1).numpy()


def imagine(network: WorldModel, now: Tensor, actions: Tensor) -> Tensor:
    """Embeddings (E, N, H, D) that ``actions`` (E, N, H, K*A) lead to from ``now`` (E, D) alone."""
    if isinstance(network.predictor, TransformerPredictor):
        return _from_one_frame(network, now, actions)
    rest = now.new_zeros(len(now), network.context - 1, actions.shape[-1])
    before = now[:, None].expand(-1, network.context, -1)
    return network.stepping().roll(before, rest, actions)


def _from_one_frame(network: WorldModel, now: Tensor, actions: Tensor) -> Tensor:
    """As :func:`imagine`: shown one embedding at first, then one more at every step up to L."""
    episodes, count, horizon, _ = actions.shape
    seen = now[:, None, None].expand(episodes, count, 1, -1)
    for step in range(horizon):
        first = max(0, step + 1 - network.context)
        following = network.predictor(seen[:, :, first:], actions[:, :, first : step + 1])
        seen = torch.cat([seen, following[:, :, None]], 2)
    return seen[:, :, 1:]


class OpenLoopController:
    """Steers to a goal image by plans sent to their end; sees pixels only."""

    name = "lewm"

    def __init__(self, model: TorchModel, planner: Planner | None = None) -> None:
        self.model = model
        self.needs = Needs(pixels=True, spec=model.spec)
        self.planner = planner or LEWM_CEM
        self._waiting: list[FloatArray] = []
        self._fault: str | None = None

    def reset(self, goals: Goals, seeds: Sequence[int]) -> None:
        """Embed the goals and drop the plan; episode i owns the random stream ``seeds[i]``.

        Raises:
            UserError: if frames are not of the size the model was trained on.
        """
        self._noise, self._goals = SeededNoise(seeds), embedded(self.model, goals.pixels)
        self._waiting, self._fault = [], None

    def act(self, seen: Seen) -> Decision:
        """Actions (E, A) for the coming tick; frames are looked at when a plan is at its end.

        Raises:
            UserError: as :meth:`reset`.
            ModelFaultError: if the tick before had a fault.
        """
        if self._fault is not None:
            raise ModelFaultError(self._fault)
        if not self._waiting:
            self._waiting = self._plan(embedded(self.model, seen.pixels))
        return Decision(self._waiting.pop(0).astype(np.float64), self._fault)

    def _plan(self, now: FloatArray) -> list[FloatArray]:
        """Actions (E, A) of the coming ticks, one after another."""
        ticks, width = self.model.action_block, self.model.spec.action_dim
        cost = TerminalCost(self.model.network, now, self._goals)
        horizon = ceil(PLANNED_TICKS / ticks)
        start = np.zeros((len(now), horizon, ticks, width), np.float32)
        plan = self.planner.plan(cost, start, ActionBounds(), self._noise)
        if not np.isfinite(plan.cost).all():
            self._fault = "no plan had a cost that is a number: zero action was sent"
        planned = plan.actions.reshape(len(now), -1, width)
        return list(planned[:, :PLANNED_TICKS].swapaxes(0, 1))
