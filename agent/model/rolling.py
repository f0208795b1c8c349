"""A predicted trajectory: z_{h+1} = f(z_{h-L+1..h}, u_{h-L+1..h}), and what its slopes are made of.

Nothing is written in place: a graph can hold it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Protocol

import numpy as np
import torch
from torch import Tensor


class Stepping(Protocol):
    """A predictor for planning; L embeddings (B, L, D) and action blocks (B, L, K*A) go in."""

    def __call__(self, embeddings: Tensor, blocks: Tensor) -> Tensor:
        """The next embedding (..., D) from (..., L, D) and (..., L, K*A)."""

    def roll(
        self, embeddings: Tensor, past: Tensor, candidates: Tensor, drift: Tensor | None = None
    ) -> Tensor:
        """As :func:`roll`, step after step."""

    def slopes(self, embeddings: Tensor, past: Tensor, plan: Tensor, predicted: Tensor) -> Tensor:
        """Slopes (E, H, H*K*A, D) of the predicted embeddings by the numbers of the plan.

        Args:
            embeddings: (E, L, D), the last one is now.
            past: (E, L-1, K*A), action blocks between them.
            plan: (E, H, K*A).
            predicted: (E, H, D), what :meth:`roll` predicts for it.
        """


def roll(
    step: Callable[[Tensor, Tensor], Tensor],
    embeddings: Tensor,
    past: Tensor,
    candidates: Tensor,
    drift: Tensor | None = None,
) -> Tensor:
    """Predicted embeddings (E, N, H, D), one a model step.

    Args:
        step: (..., L, D) and action blocks (..., L, K*A) to the next embedding (..., D).
        embeddings: (E, L, D), the last one is now.
        past: (E, L-1, K*A), action blocks between them.
        candidates: (E, N, H, K*A), action blocks from now on.
        drift: (E, D), added to every prediction; none by default.
    """
    context, (_, count, horizon, _) = embeddings.shape[1], candidates.shape
    seen = list(embeddings[:, None].expand(-1, count, -1, -1).unbind(2))
    sent = torch.cat([past[:, None].expand(-1, count, -1, -1), candidates], 2)
    for number in range(horizon):
        window = torch.stack(seen[-context:], 2)
        following = step(window, sent[:, :, number : number + context])
        seen.append(following if drift is None else following + drift[:, None])
    return torch.stack(seen[context:], 2)


def windows_along(
    embeddings: Tensor, past: Tensor, plan: Tensor, predicted: Tensor
) -> tuple[Tensor, Tensor]:
    """What the predictor is given at each of H steps: (E, H, L, D) and (E, H, L, K*A)."""
    context, horizon = embeddings.shape[1], plan.shape[1]
    seen, sent = torch.cat([embeddings, predicted], 1), torch.cat([past, plan], 1)
    windows, blocks = (
        torch.stack([each[:, back : back + horizon] for back in range(context)], 2)
        for each in (seen, sent)
    )
    return windows, blocks


@lru_cache(maxsize=8)
def block_places(context: int, horizon: int, width: int) -> Tensor:
    """Which of the H*K*A numbers of a plan the L blocks of a step are: (H, H*K*A, L*K*A)."""
    places = np.zeros((horizon, horizon, width, context, width), np.float32)
    for number in range(horizon):
        for back in range(min(context, number + 1)):
            places[number, number - back, :, context - 1 - back] = np.eye(width)
    return torch.from_numpy(places.reshape(horizon, horizon * width, context * width))
