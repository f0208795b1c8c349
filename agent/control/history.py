"""What a controller remembers: embeddings and torques, tick by tick.

The control tick may be shorter than the model's step. The model is then shown frames one model
step apart, counted back from now, and the torque blocks between them; before the first frame the
arm is taken to have stood still without torque.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T", bound=Any)  # a torch tensor, or a numpy array where there is no torch


class TickHistory(Generic[T]):
    """The last few ticks of E episodes, in the arrays of whoever keeps it.

    Args:
        context: L embeddings the model reads.
        action_block: K control ticks in a model step.
        torque_dim: A.
        stack: joins arrays along a new axis, as ``torch.stack`` and ``numpy.stack`` do.
        zeros: makes an array of a shape.
    """

    def __init__(
        self,
        context: int,
        action_block: int,
        torque_dim: int,
        stack: Callable[[list[T], int], T],
        zeros: Callable[[tuple[int, ...]], T],
    ) -> None:
        self._stack, self._zeros = stack, zeros
        self.context, self.action_block, self.torque_dim = context, action_block, torque_dim
        self._embeddings: list[T] = []
        self._torques: list[T] = []

    def see(self, embeddings: T) -> None:
        """Append the embeddings (E, D) of the frames at this tick."""
        self._embeddings.append(embeddings)
        del self._embeddings[: -self.context * self.action_block - 1]

    def act(self, torques: T) -> None:
        """Append the torques (E, A) sent at this tick."""
        self._torques.append(torques)
        del self._torques[: -self.context * self.action_block]

    def embeddings(self) -> T:
        """(E, L, D), a model step apart, the last one now."""
        newest = len(self._embeddings) - 1
        ticks = [newest - back * self.action_block for back in reversed(range(self.context))]
        return self._stack([self._embeddings[max(tick, 0)] for tick in ticks], 1)

    def torque_blocks(self) -> T:
        """(E, L-1, K*A), the blocks between those embeddings."""
        return self._blocks(self._torques, self.context - 1)

    def last_transition(self) -> tuple[T, T, T] | None:
        """What led to now: embeddings (E, L, D), blocks (E, L, K*A), and now (E, D).

        None until all of it has been seen, without an assumption about the time before.
        """
        ticks = self.context * self.action_block
        if len(self._torques) < ticks:
            return None
        seen = self._stack(self._embeddings[-ticks - 1 :: self.action_block], 1)  # (E, L+1, D)
        return seen[:, :-1], self._blocks(self._torques, self.context), seen[:, -1]

    def _blocks(self, torques: list[T], count: int) -> T:
        """The last ``count`` torque blocks (E, count, K*A); stillness before the first tick."""
        needed, episodes = count * self.action_block, len(self._embeddings[-1])
        if not needed:
            return self._zeros((episodes, 0, self.action_block * self.torque_dim))
        known = torques[-needed:]
        still = [self._zeros((episodes, self.torque_dim))] * (needed - len(known))
        ticks = self._stack([*still, *known], 1)  # (E, count*K, A)
        blocks: T = ticks.reshape(episodes, count, -1)
        return blocks
