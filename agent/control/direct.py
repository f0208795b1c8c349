"""The goal head: alone, as a controller without any search, and as a place to search from."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from agent.control.goal_cost import Situation
from agent.control.perception import Perception
from agent.control.watch import TickWatch
from agent.errors import ModelFaultError, UserError
from agent.interfaces import Array, GoalObservation
from agent.model.world_model import WorldModel


def propose(model: WorldModel, now: Situation, horizon: int) -> Tensor | None:
    """The plan (E, H, K*A) that the head would follow, as the model imagines it; None without.

    Where torques are on their way, it begins with them.
    """
    if model.head is None:
        return None
    seen, blocks, plan = now.embeddings, now.past, []
    fixed = None if now.pending is None else now.pending.flatten(1)  # (E, d*A)
    for step in range(horizon):
        torques = model.head(seen, blocks, now.goals)
        if fixed is not None:
            first = step * torques.shape[1]
            sent = fixed[:, first : first + torques.shape[1]]
            torques = torch.cat([sent, torques[:, sent.shape[1] :]], 1)
        plan.append(torques)
        blocks = torch.cat([blocks, torques[:, None]], 1)
        following = model.predictor(seen, blocks)
        if now.drift is not None:
            following = following + now.drift
        seen = torch.cat([seen[:, 1:], following[:, None]], 1)
        blocks = blocks[:, 1:]
    return torch.stack(plan, 1)


class DirectController:
    """Steers to a goal image with the model's action head; sees pixels only.

    ``fault`` and what follows from it as for :class:`agent.control.mpc.WorldModelController`.

    Raises:
        UserError: if the model has no head.
    """

    name = "direct"
    needs_pixels = True

    def __init__(self, model: WorldModel, tick_ms: float | None = None) -> None:
        if model.head is None:
            raise UserError(
                "expected a world model with an action head, got one without: train again with "
                "a preset that has one, such as reacher-cpu, or use --controller world-model"
            )
        self.model, self._head = model.eval(), model.head
        self.render_profile = model.config.render_profile  # evaluation checks these three
        self.image_size = model.config.encoder.image_size
        self.action_repeat = model.config.action_repeat
        self.watch = TickWatch(tick_ms)
        self.fault: str | None = None
        self._perception: Perception | None = None

    @torch.no_grad()
    def reset(self, observations: Sequence[GoalObservation], seeds: Sequence[int]) -> None:
        """Embed the goals and forget the past; nothing is drawn at random.

        Raises:
            UserError: if frames are not of the size the model was trained on.
        """
        self._perception = Perception(self.model, observations, drift_gain=None)
        self.fault = None

    @torch.no_grad()
    def act(self, observations: Sequence[GoalObservation]) -> Array:
        """Torques (E, A) for the coming tick.

        Raises:
            ModelFaultError: if the tick before had a ``fault``.
        """
        assert self._perception is not None, "act() before reset()"
        if self.fault is not None:
            raise ModelFaultError(self.fault)
        with self.watch.tick():
            seen = self._perception
            seen.see(observations)
            blocks = self._head(seen.embeddings, seen.past, seen.goals)
            torques = blocks[:, : self.model.config.torque_dim]
            sound = torques.isfinite().all(1)
            if not sound.all():
                self.fault = "the action head gave NaN or infinity: zero torque was sent"
            torques = torch.where(sound[:, None], torques, 0.0)
            seen.act(torques)
            result: Array = torques.double().numpy()
        return result
