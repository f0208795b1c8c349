"""From pictures to where the arm is in the embedding, and how far the model can be trusted.

Shared by all controllers that act on the embedding.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from agent.control.history import TickHistory
from agent.errors import UserError
from agent.interfaces import GoalObservation
from agent.model.world_model import WorldModel


class Perception:
    """What E episodes have seen and done, and what the model lately got wrong.

    Args:
        model: in evaluation mode.
        observations: the first ones, for their goals.
        drift_gain: in [0, 1], how fast the latest prediction error enters the drift estimate;
            None spares predicting.

    Raises:
        UserError: if frames are not of the size the model was trained on.
    """

    def __init__(
        self, model: WorldModel, observations: Sequence[GoalObservation], drift_gain: float | None
    ) -> None:
        settings = model.config
        self._model, self._drift_gain = model, drift_gain
        self._history: TickHistory[Tensor] = TickHistory(
            model.context, settings.action_block, settings.torque_dim, torch.stack, torch.zeros
        )
        self.goals = self._encode([o.goal_pixels for o in observations])  # (E, D)
        self.drift = torch.zeros_like(self.goals)  # (E, D)
        self.surprise = torch.zeros(len(observations))  # (E,) mean squared error of a prediction

    def see(self, observations: Sequence[GoalObservation]) -> None:
        """Embed the frames of this tick, and compare with what was predicted for it."""
        self._history.see(self._encode([o.pixels for o in observations]))
        if self._drift_gain is None:
            return
        transition = self._history.last_transition()
        if transition is not None:
            embeddings, blocks, now = transition
            missed = now - self._model.predictor(embeddings, blocks)
            self.surprise = (missed - self.drift).square().mean(-1)
            self._estimate_drift(missed, self._drift_gain)

    def act(self, torques: Tensor) -> None:
        """Remember the torques (E, A) that act from this tick to the next."""
        self._history.act(torques)

    @property
    def embeddings(self) -> Tensor:
        """(E, L, D), a model step apart, the last one now."""
        return self._history.embeddings()

    @property
    def past(self) -> Tensor:
        """(E, L-1, K*A), the torque blocks between them."""
        return self._history.torque_blocks()

    def _estimate_drift(self, missed: Tensor, gain: float) -> None:
        """Offset-free control: let a lasting prediction error be part of the model.

        (Pannocchia & Rawlings 2003, AIChE J. 49(2), a disturbance on the state.) Without it the
        arm comes to rest where the model's error balances the cost, not at the goal.
        """
        self.drift = torch.lerp(self.drift, missed, gain)

    def _encode(self, frames: Sequence[np.ndarray]) -> Tensor:
        size = self._model.config.encoder.image_size
        for frame in frames:
            if frame.shape != (size, size, 3) or frame.dtype != np.uint8:
                raise UserError(
                    f"expected frames uint8 ({size}, {size}, 3), as the model was trained on, "
                    f"got {frame.dtype} {frame.shape}"
                )
        return self._model.encode(torch.from_numpy(np.stack(frames)))
