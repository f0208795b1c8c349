"""A predicted trajectory, and its slope with respect to the actions that cause it.

The rollout is z_{h+1} = f(z_{h-L+1..h}, u_{h-L+1..h}). Once it is known, the derivatives of f at
all of its steps are independent, and found at once; what remains step after step is to chain
matrices as small as an embedding. Nothing is written in place: a graph can hold it.
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

    def jacobian(self, embeddings: Tensor, blocks: Tensor) -> Tensor:
        """The derivative (B, D, L*D + L*K*A) by the embeddings and then the blocks."""


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


@torch.no_grad()
def slopes_along(
    step: Stepping, embeddings: Tensor, past: Tensor, actions: Tensor, predicted: Tensor
) -> Tensor:
    """Slopes (E, H, H*K*A, D) of the predicted embeddings by the numbers of the plan.

    Args:
        step: of the model, :meth:`agent.model.world_model.WorldModel.stepping`.
        embeddings: (E, L, D), the last one is now.
        past: (E, L-1, K*A), action blocks between them.
        actions: (E, H, K*A), the plan.
        predicted: (E, H, D), what :func:`roll` predicts for it.
    """
    context, latent_dim, (_, horizon, width) = *embeddings.shape[1:], actions.shape
    seen, sent = torch.cat([embeddings, predicted], 1), torch.cat([past, actions], 1)
    windows, blocks = (
        torch.stack([each[:, back : back + horizon] for back in range(context)], 2).flatten(0, 1)
        for each in (seen, sent)
    )
    seen_width, inputs = context * latent_dim, context * (latent_dim + width)
    jacobian = step.jacobian(windows, blocks).reshape(-1, horizon, latent_dim, inputs)
    by_each = jacobian.transpose(2, 3)
    by_past, by_actions = by_each[:, :, :seen_width], by_each[:, :, seen_width:]
    direct = _block_places(context, horizon, width).to(actions) @ by_actions  # (E, H, P, D)
    slopes = [direct[:, 0]]  # what was seen before depends on no action
    for number in range(1, horizon):
        before = torch.cat(slopes[-context:], 2)
        rows = by_past[:, number, -before.shape[2] :]
        slopes.append(torch.baddbmm(direct[:, number], before, rows))
    return torch.stack(slopes, 1)


@lru_cache(maxsize=8)
def _block_places(context: int, horizon: int, width: int) -> Tensor:
    """Which of the H*K*A numbers of a plan the L blocks of a step are: (H, H*K*A, L*K*A)."""
    places = np.zeros((horizon, horizon, width, context, width), np.float32)
    for number in range(horizon):
        for back in range(min(context, number + 1)):
            places[number, number - back, :, context - 1 - back] = np.eye(width)
    return torch.from_numpy(places.reshape(horizon, horizon * width, context * width))
