"""What a controller remembers: embeddings and torques, tick by tick.

The control tick may be shorter than the model's step. The model is then shown frames one model
step apart, counted back from now, and the torque blocks between them; before the first frame the
arm is taken to have stood still without torque.
"""

from __future__ import annotations

import torch
from torch import Tensor


class TickHistory:
    """The last few ticks of E episodes.

    Args:
        context: L embeddings the model reads.
        action_block: K control ticks in a model step.
        torque_dim: A.
    """

    def __init__(self, context: int, action_block: int, torque_dim: int) -> None:
        self.context, self.action_block, self.torque_dim = context, action_block, torque_dim
        self._embeddings: list[Tensor] = []
        self._torques: list[Tensor] = []

    def see(self, embeddings: Tensor) -> None:
        """Append the embeddings (E, D) of the frames at this tick."""
        self._embeddings.append(embeddings)
        del self._embeddings[: -self.context * self.action_block - 1]

    def act(self, torques: Tensor) -> None:
        """Append the torques (E, A) sent at this tick."""
        self._torques.append(torques)
        del self._torques[: -self.context * self.action_block]

    def embeddings(self) -> Tensor:
        """(E, L, D), a model step apart, the last one now."""
        newest = len(self._embeddings) - 1
        ticks = [newest - back * self.action_block for back in reversed(range(self.context))]
        return torch.stack([self._embeddings[max(tick, 0)] for tick in ticks], 1)

    def torque_blocks(self) -> Tensor:
        """(E, L-1, K*A), the blocks between those embeddings."""
        return self._blocks(self._torques, self.context - 1)

    def last_transition(self) -> tuple[Tensor, Tensor, Tensor] | None:
        """What led to now: embeddings (E, L, D), blocks (E, L, K*A), and now (E, D).

        None until all of it has been seen, without an assumption about the time before.
        """
        ticks = self.context * self.action_block
        if len(self._torques) < ticks:
            return None
        seen = torch.stack(self._embeddings[-ticks - 1 :: self.action_block], 1)  # (E, L+1, D)
        return seen[:, :-1], self._blocks(self._torques, self.context), seen[:, -1]

    def _blocks(self, torques: list[Tensor], count: int) -> Tensor:
        """The last ``count`` torque blocks (E, count, K*A); stillness before the first tick."""
        needed, episodes = count * self.action_block, len(self._embeddings[-1])
        if not needed:
            return torch.zeros(episodes, 0, self.action_block * self.torque_dim)
        known = torques[-needed:]
        still = [torch.zeros(episodes, self.torque_dim)] * (needed - len(known))
        ticks = torch.stack([*still, *known], 1)  # (E, count*K, A)
        return ticks.reshape(episodes, count, -1)
