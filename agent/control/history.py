"""What a controller remembers: embeddings and actions, tick by tick.

The control tick may be shorter than the model's step. The model is then shown frames one model
step apart, counted back from now, and the action blocks between them; before the first frame the
world is taken to have stood still without action.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from agent.interfaces import FloatArray


class TickHistory:
    """The last few ticks of E episodes.

    Args:
        context: L embeddings the model reads.
        action_block: K control ticks in a model step.
        action_dim: A.
    """

    def __init__(self, context: int, action_block: int, action_dim: int) -> None:
        self.context, self.action_block, self.action_dim = context, action_block, action_dim
        self._embeddings: list[FloatArray] = []
        self._actions: list[FloatArray] = []

    def see(self, embeddings: FloatArray) -> None:
        """Append the embeddings (E, D) of the frames at this tick."""
        self._embeddings.append(embeddings)
        del self._embeddings[: -self.context * self.action_block - 1]

    def act(self, actions: FloatArray) -> None:
        """Append the actions (E, A) that act from this tick to the next."""
        self._actions.append(actions)
        del self._actions[: -self.context * self.action_block]

    def correct(self, actions: FloatArray) -> None:
        """Replace the actions (E, A) that were appended last."""
        self._actions[-1] = np.array(actions, np.float32)

    def embeddings(self) -> FloatArray:
        """(E, L, D), a model step apart, the last one now."""
        return self._apart(len(self._embeddings) - 1)

    def blocks(self) -> FloatArray:
        """(E, L-1, K*A), the action blocks between those embeddings."""
        return self._blocks(self._actions, self.context - 1)

    def pushes(self) -> FloatArray:
        """(E,), the mean square of the actions of the last model step."""
        pushes: FloatArray = np.square(self._blocks(self._actions, 1)).mean((1, 2))
        return pushes

    def last_transition(self) -> tuple[FloatArray, FloatArray, FloatArray] | None:
        """What led to now: embeddings (E, L, D), blocks (E, L, K*A), and now (E, D).

        None until all of it has been seen, without an assumption about the time before.
        """
        ticks = self.context * self.action_block
        if len(self._actions) < ticks:
            return None
        seen = np.stack(self._embeddings[-ticks - 1 :: self.action_block], 1)  # (E, L+1, D)
        return seen[:, :-1], self._blocks(self._actions, self.context), seen[:, -1]

    def foreseen(
        self, predict: Callable[[FloatArray, FloatArray], FloatArray], actions: FloatArray
    ) -> TickHistory:
        """As it will be when ``actions`` (E, T, A) have acted, by a model that can ``predict``."""
        ahead = TickHistory(self.context, self.action_block, self.action_dim)
        ahead._embeddings, ahead._actions = list(self._embeddings), list(self._actions)
        for tick in range(actions.shape[1]):
            ahead.act(actions[:, tick])
            before = ahead._apart(len(ahead._embeddings) - self.action_block)
            ahead.see(predict(before, ahead._blocks(ahead._actions, self.context)))
        return ahead

    def _apart(self, newest: int) -> FloatArray:
        """Embeddings (E, L, D), a model step apart, the last that of the number ``newest``."""
        ticks = [newest - back * self.action_block for back in reversed(range(self.context))]
        return np.stack([self._embeddings[max(tick, 0)] for tick in ticks], 1)

    def _blocks(self, actions: Sequence[FloatArray], count: int) -> FloatArray:
        """The last ``count`` action blocks (E, count, K*A); stillness before the first tick."""
        needed, episodes = count * self.action_block, len(self._embeddings[-1])
        ticks = np.zeros((episodes, needed, self.action_dim), np.float32)
        known = actions[len(actions) - min(needed, len(actions)) :]
        for back, action in enumerate(reversed(known), 1):
            ticks[:, -back] = action
        return ticks.reshape(episodes, count, self.action_block * self.action_dim)
