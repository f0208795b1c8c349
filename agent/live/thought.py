"""What the model imagines along its plan, shown as the nearest of pictures it knows.

There is no decoder: each embedding it expects is looked up among those of known pictures, by the
distance the planner uses, and where their states are known, so is where it thinks it will be.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from agent.control.model import Situation
from agent.control.torch_model import TorchModel
from agent.interfaces import Array, FloatArray, Image
from agent.live.moment import Imagined
from envs import Scene, World

Numbers = NDArray[np.integer]
LIBRARY_BYTES, LIBRARY_FRAMES = 25_000_000, 2048
SHOWN = 4
NEIGHBOURS = 4
NO_POINTS: Array = np.empty((0, 0, 3))


class Thought:
    """Looks ahead with the model, along the plan of the last decision.

    Memory is reserved for the pictures it may know, and what the model makes of each; it knows
    ``size`` of them.
    """

    def __init__(self, world: World, model: TorchModel, scene: Scene | None) -> None:
        shape = world.spec.frame_shape
        count = max(1, min(LIBRARY_FRAMES, LIBRARY_BYTES // int(np.prod(shape))))
        self._model, self._scene = model, scene
        self._pictures = np.ones((count, *shape), np.uint8)
        self._places = np.zeros((count, model.network.measures), np.float32)
        self._states = np.full((count, len(world.spec.state)), np.nan)
        self.size = 0

    @property
    def is_full(self) -> bool:
        """Whether no more pictures fit in."""
        return self.size == len(self._pictures)

    def add(self, pictures: Sequence[Image], states: Sequence[Array | None]) -> None:
        """More pictures (h, w, 3), with their states (S,) where those are known."""
        room = slice(self.size, min(self.size + len(pictures), len(self._pictures)))
        count = room.stop - room.start
        self._pictures[room] = pictures[:count]
        self._places[room] = self.placed(self._model.encode(self._pictures[room]))
        for row, state in zip(range(room.start, room.stop), states, strict=False):
            if state is not None:
                self._states[row] = state
        self.size = room.stop

    def placed(self, embeddings: FloatArray) -> FloatArray:
        """(H, D) as the goal metric sees them, (H, M)."""
        return self._model.apart(embeddings, np.zeros_like(embeddings))

    def nearest(self, embeddings: FloatArray) -> tuple[FloatArray, Numbers]:
        """The ``NEIGHBOURS`` nearest to each of (H, D): distances and numbers (H, N)."""
        known, places = self._places[: self.size], self.placed(embeddings)
        squares = np.square(places).sum(1)[:, None] - 2 * places @ known.T
        distances = np.sqrt(np.maximum(squares + np.square(known).sum(1), 0.0))
        some = np.argpartition(distances, NEIGHBOURS - 1, 1)[:, :NEIGHBOURS]
        order = np.argsort(np.take_along_axis(distances, some, 1), 1)
        which = np.take_along_axis(some, order, 1)
        return np.take_along_axis(distances, which, 1), which

    def imagine(self, now: Situation | None, searched: FloatArray | None) -> Imagined:
        """Nothing where there is no plan, or nothing to show it with."""
        if now is None or searched is None or self.size < NEIGHBOURS:
            return Imagined(np.empty(0), self._pictures[:0], NO_POINTS)
        block, width = self._model.action_block, self._model.spec.action_dim
        plan = searched.reshape(1, 1, -1, block * width)
        ahead = self._model.imagine(now, plan)[0, 0]  # (H, D)
        distances, which = self.nearest(ahead)
        shown = np.linspace(0, len(ahead) - 1, min(SHOWN + 1, len(ahead))).round().astype(int)[1:]
        times_s = (shown + 1) * block * self._model.spec.step_s
        return Imagined(times_s, self._pictures[which[shown, 0]], self._points(distances, which))

    def _points(self, distances: FloatArray, which: Numbers) -> Array:
        """Where the grips are in the neighbours' states, nearer ones counting more: (H, G, 3)."""
        if self._scene is None or not self._scene.grips:
            return NO_POINTS
        weights = 1.0 / np.maximum(distances, 1e-6)
        weights /= weights.sum(1, keepdims=True)
        rows = []
        for numbers, shares in zip(which, weights, strict=True):
            states = self._states[numbers]
            if not states.size or not np.isfinite(states).all():
                return NO_POINTS
            points = [self._scene.points(state) for state in states]
            rows.append(np.tensordot(shares, np.stack(points), 1))
        return np.stack(rows)
