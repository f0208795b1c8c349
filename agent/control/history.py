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
        del self._embeddings[: -(self.context - 1) * self.action_block - 1]

    def act(self, torques: Tensor) -> None:
        """Append the torques (E, A) sent at this tick."""
        self._torques.append(torques)
        del self._torques[: -(self.context - 1) * self.action_block]

    def embeddings(self) -> Tensor:
        """(E, L, D), a model step apart, the last one now."""
        newest = len(self._embeddings) - 1
        ticks = [newest - back * self.action_block for back in reversed(range(self.context))]
        return torch.stack([self._embeddings[max(tick, 0)] for tick in ticks], 1)

    def torque_blocks(self) -> Tensor:
        """(E, L-1, K*A), the blocks between those embeddings."""
        needed = (self.context - 1) * self.action_block
        episodes = len(self._embeddings[-1])
        still = [torch.zeros(episodes, self.torque_dim)] * (needed - len(self._torques))
        if not needed:
            return torch.zeros(episodes, 0, self.action_block * self.torque_dim)
        ticks = torch.stack([*still, *self._torques], 1)  # (E, (L-1)*K, A)
        return ticks.reshape(episodes, self.context - 1, -1)
