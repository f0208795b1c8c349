"""From pictures to embeddings, and how far the model can be trusted; in numpy.

:class:`agent.control.perception.Perception` without torch.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agent.control.history import TickHistory
from agent.deploy.cost import Situation
from agent.deploy.graphs import Graphs
from agent.errors import UserError
from agent.interfaces import FloatArray, GoalObservation, Image


class Perception:
    """What E episodes have seen and done, and what the model lately got wrong.

    Raises:
        UserError: if frames are not of the size the model was trained on.
    """

    def __init__(self, graphs: Graphs, observations: Sequence[GoalObservation]) -> None:
        self._graphs, self._settings = graphs, graphs.settings
        settings = graphs.settings
        self._history: TickHistory[FloatArray] = TickHistory(
            settings.context, settings.action_block, settings.torque_dim,
            np.stack, _zeros,
        )  # fmt: skip
        self._goals = self._encode([o.goal_pixels for o in observations])
        self._drift = np.zeros_like(self._goals)
        self._surprise = np.zeros(len(observations), np.float32)

    def see(self, observations: Sequence[GoalObservation]) -> None:
        """Embed the frames of this tick, and compare with what was predicted for it.

        The error joins the drift estimate: offset-free control (Pannocchia & Rawlings 2003).
        """
        self._history.see(self._encode([o.pixels for o in observations]))
        transition = self._history.last_transition()
        if transition is not None:
            embeddings, blocks, now = transition
            news = now - self._graphs.predict(embeddings, blocks) - self._drift
            self._surprise = np.square(news).mean(-1)
            self._drift = self._drift + np.float32(self._settings.drift_gain) * news

    def act(self, torques: FloatArray) -> None:
        """Remember the torques (E, A) that act from this tick to the next."""
        self._history.act(torques)

    def situation(self) -> Situation:
        """What the plan is to start from; a surprising world shortens what is trusted."""
        limit = np.float32(self._settings.surprise_limit)
        share = limit / np.maximum(self._surprise, limit)
        reach = np.maximum(np.ceil(self._settings.horizon * share), 1)
        past = self._history.torque_blocks()
        return Situation(self._history.embeddings(), past, self._goals, self._drift, reach)

    def _encode(self, frames: Sequence[Image]) -> FloatArray:
        size = self._settings.image_size
        for frame in frames:
            if frame.shape != (size, size, 3) or frame.dtype != np.uint8:
                raise UserError(
                    f"expected frames uint8 ({size}, {size}, 3), as the model was trained on, "
                    f"got {frame.dtype} {frame.shape}"
                )
        return self._graphs.encode(np.stack(frames))


def _zeros(shape: tuple[int, ...]) -> FloatArray:
    return np.zeros(shape, np.float32)
