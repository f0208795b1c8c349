"""From pictures to where the world is in the embedding, and how far the model can be trusted.

Shared by all controllers that act on the embedding.
"""

from __future__ import annotations

import numpy as np

from agent.control.history import TickHistory
from agent.control.model import Model
from agent.errors import UserError
from agent.interfaces import FloatArray, Goals, Image


class Perception:
    """What E episodes have seen and done, and what the model lately got wrong.

    ``drift_gain`` in [0, 1] says how fast the latest prediction error enters the drift estimate;
    None spares predicting. ``goals`` (E, D), ``drift`` (E, D) and ``surprise`` (E,), the mean
    squared error of the last prediction beyond the drift, may be read.

    Raises:
        UserError: if frames are not of the size the model was trained on.
    """

    def __init__(self, model: Model, goals: Goals, drift_gain: float | None) -> None:
        self._model, self._drift_gain = model, drift_gain
        self._history = TickHistory(model.context, model.action_block, model.spec.action_dim)
        self.aim(goals)
        self.drift = np.zeros_like(self.goals)
        self.surprise = np.zeros(len(self.goals), np.float32)

    def aim(self, goals: Goals) -> None:
        """Embed other goals; what was seen stays known."""
        self.goals = self._encode(goals.pixels)

    def see(self, pixels: Image | None) -> None:
        """Embed the frames of this tick, and compare with what was predicted for it."""
        self._history.see(self._encode(pixels))
        transition = self._history.last_transition()
        if self._drift_gain is None or transition is None:
            return
        embeddings, blocks, now = transition
        news = now - self._model.predict(embeddings, blocks) - self.drift
        self.surprise = np.square(news).mean(-1)
        # Offset-free control: a lasting prediction error becomes part of the model (Pannocchia &
        # Rawlings 2003, AIChE J. 49(2)). Without it the world comes to rest where the model's error
        # balances the cost, not at the goal.
        self.drift = self.drift + np.float32(self._drift_gain) * news

    def act(self, actions: FloatArray) -> None:
        """Remember the actions (E, A) that act from this tick to the next."""
        self._history.act(actions)

    def correct(self, actions: FloatArray) -> None:
        """Replace the actions (E, A) remembered last."""
        self._history.correct(actions)

    @property
    def embeddings(self) -> FloatArray:
        """(E, L, D), a model step apart, the last one now."""
        return self._history.embeddings()

    @property
    def past(self) -> FloatArray:
        """(E, L-1, K*A), the action blocks between them."""
        return self._history.blocks()

    def _encode(self, frames: Image | None) -> FloatArray:
        assert frames is not None, "a controller that needs pixels is shown some"
        shape = self._model.spec.frame_shape
        if frames.shape[1:] != shape or frames.dtype != np.uint8:
            raise UserError(
                f"expected frames uint8 {shape}, as the model was trained on, got {frames.dtype} "
                f"{frames.shape[1:]}"
            )
        return self._model.encode(frames)
