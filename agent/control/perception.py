"""From pictures to where the world is in the embedding, and how far the model can be trusted.

Shared by all controllers that act on the embedding.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agent.control.guard import SightGuard
from agent.control.history import TickHistory
from agent.control.model import Encodes, Model
from agent.errors import UserError
from agent.interfaces import FloatArray, Goals, Image
from agent.model.sight import Sight

_SAME = 1e-5  # one picture's embedding beside those of other pictures


class Perception:
    """What E episodes have seen and done, and what the model lately got wrong.

    ``drift_gain`` in [0, 1] says how fast the latest prediction error enters the drift estimate;
    None for no estimate. ``sight`` is what frames are judged by, None for no judgement. ``goals``
    (E, D), ``drift`` (E, D) and ``surprise`` (E,), the mean squared error of the last prediction
    beyond the drift, may be read. ``history`` has what was seen; what acts is told to it.

    Raises:
        UserError: if frames are not of the size the model was trained on.
    """

    def __init__(
        self, model: Model, goals: Goals, drift_gain: float | None, sight: Sight | None
    ) -> None:
        self._model, self._drift_gain = model, drift_gain
        self._foresees = drift_gain is not None or sight is not None
        self.history = TickHistory(model.context, model.action_block, model.spec.action_dim)
        self.goals = embedded(model, goals.pixels)
        self.drift = np.zeros_like(self.goals)
        self.surprise = np.zeros(len(self.goals), np.float32)
        self._guard = SightGuard(sight, len(self.goals), model.context * model.action_block)

    def aim(self, goals: Goals) -> NDArray[np.bool_]:
        """Embed other goals, and tell whose (E,) are others; what was seen stays known."""
        before, self.goals = self.goals, embedded(self._model, goals.pixels)
        return np.asarray(~np.isclose(before, self.goals, atol=_SAME).all(1))

    def see(self, pixels: Image | None) -> None:
        """Embed the frames of this tick, and compare with what was predicted for it."""
        embeddings = embedded(self._model, pixels)
        self.history.see(embeddings)
        errors, before = self._errors()
        assert pixels is not None
        drift, pushes = np.square(self.drift).mean(-1), self.history.pushes()
        self._guard.look(pixels, embeddings, errors, before, drift, pushes)
        if errors is not None and self._drift_gain is not None:
            self._learn_drift(errors, np.float32(self._drift_gain))

    def _errors(self) -> tuple[FloatArray, FloatArray] | tuple[None, None]:
        """What the prediction for this tick lacked, and from where it was made, (E, D) each; None
        before there is one.
        """
        transition = self.history.last_transition() if self._foresees else None
        if transition is None:
            return None, None
        embeddings, blocks, now = transition
        return now - self._model.predict(embeddings, blocks), embeddings[:, -1]

    def _learn_drift(self, errors: FloatArray, gain: np.float32) -> None:
        """Offset-free control: a lasting prediction error becomes part of the model (Pannocchia &
        Rawlings 2003, AIChE J. 49(2)). Without it the world comes to rest where the model's error
        balances the cost, not at the goal. While an episode is held nothing is learned from it.
        """
        news = np.where(self.held[:, None], np.float32(0), errors - self.drift)
        self.surprise = np.square(news).mean(-1)
        self.drift = np.where(self.held[:, None], np.float32(0), self.drift + gain * news)

    @property
    def reasons(self) -> tuple[str | None, ...]:
        """Why each episode is held, None where it is not."""
        return tuple(self._guard.held)

    @property
    def held(self) -> NDArray[np.bool_]:
        """(E,): where nothing that was seen can be acted on."""
        return np.array([reason is not None for reason in self._guard.held])


def embedded(model: Encodes, frames: Image | None) -> FloatArray:
    """Embeddings (E, D) of frames uint8 (E, h, w, 3).

    Raises:
        UserError: if they are not of the size the model was trained on.
    """
    assert frames is not None, "a controller that needs pixels is shown some"
    shape = model.spec.frame_shape
    if frames.shape[1:] != shape or frames.dtype != np.uint8:
        raise UserError(
            f"expected frames uint8 {shape}, as the model was trained on, got {frames.dtype} "
            f"{frames.shape[1:]}"
        )
    return model.encode(frames)
