"""The slope of a predicted trajectory with respect to the torques that cause it.

The rollout is z_{h+1} = f(z_{h-L+1..h}, u_{h-L+1..h}). One batched reverse pass gives the local
Jacobians of f at every step of a trajectory; the chain rule then runs forward over the horizon on
small matrices. That is far cheaper than pushing one tangent per torque through the whole rollout.
"""

from __future__ import annotations

import torch
from torch import Tensor

from agent.model.world_model import WorldModel


def linearise_rollout(
    model: WorldModel,
    embeddings: Tensor,
    past: Tensor,
    actions: Tensor,
    drift: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Predicted embeddings (E, H, D) and their Jacobian (E, H, D, H*K*A).

    Args:
        model: in evaluation mode.
        embeddings: (E, L, D), the last one is now.
        past: (E, L-1, K*A), torque blocks between them.
        actions: (E, H, K*A), the plan.
        drift: (E, D), added to every prediction; none by default.
    """
    context, horizon, width = model.context, actions.shape[1], actions.shape[2]
    with torch.no_grad():
        predicted = model.rollout(embeddings, past, actions[:, None], drift)[:, 0]  # (E, H, D)
    seen = torch.cat([embeddings, predicted[:, :-1]], 1)  # (E, L+H-1, D)
    sent = torch.cat([past, actions], 1)  # (E, L+H-1, K*A)
    windows = seen.unfold(1, context, 1).transpose(-1, -2)  # (E, H, L, D)
    blocks = sent.unfold(1, context, 1).transpose(-1, -2)  # (E, H, L, K*A)
    by_embedding, by_action = _local_jacobians(model, windows, blocks)
    slope = predicted.new_zeros(len(actions), horizon, model.latent_dim, horizon * width)
    for step in range(horizon):
        for back in range(min(context, step + 1)):  # the block sent `back` steps earlier
            columns = slice((step - back) * width, (step - back + 1) * width)
            slope[:, step, :, columns] += by_action[:, step, :, context - 1 - back]
        for back in range(1, min(context, step) + 1):  # the embedding predicted `back` earlier
            local = by_embedding[:, step, :, context - back]
            slope[:, step] += local @ slope[:, step - back]
    return predicted, slope


def _local_jacobians(model: WorldModel, windows: Tensor, blocks: Tensor) -> tuple[Tensor, Tensor]:
    """∂f/∂embeddings (E, H, D, L, D) and ∂f/∂actions (E, H, D, L, K*A) at every step."""
    with torch.enable_grad():
        at = windows.detach().requires_grad_(), blocks.detach().requires_grad_()
        following = model.predictor(*at)  # (E, H, D)
        outputs = following.shape[-1]
        basis = torch.eye(outputs, dtype=following.dtype, device=following.device)
        pulls = basis[:, None, None].expand(-1, *following.shape)  # (D, E, H, D)
        gradients = torch.autograd.grad(following, at, pulls, is_grads_batched=True)
    by_embedding, by_action = (gradient.movedim(0, 2) for gradient in gradients)
    return by_embedding, by_action
