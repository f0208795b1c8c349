"""The slope of a predicted trajectory with respect to the actions that cause it.

The rollout is z_{h+1} = z_h + f(z_{h-L+1..h}, u_{h-L+1..h}). Its derivatives are pushed forward
along with it: at step h only the actions up to h have any, so that half the work of a full Jacobian
is never done, and what was computed for one step is what the next one starts from.
"""

from __future__ import annotations

import torch
from torch import Tensor

from agent.model.world_model import WorldModel


@torch.no_grad()
def linearise_rollout(
    model: WorldModel,
    embeddings: Tensor,
    past: Tensor,
    actions: Tensor,
    drift: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Predicted embeddings (E, H, D) and their slopes (E, H, H*K*A, D).

    Args:
        model: in evaluation mode.
        embeddings: (E, L, D), the last one is now.
        past: (E, L-1, K*A), action blocks between them.
        actions: (E, H, K*A), the plan.
        drift: (E, D), added to every prediction; none by default.
    """
    context, (episodes, horizon, width) = model.context, actions.shape
    seen, sent = list(embeddings.unbind(1)), list(past.unbind(1))
    placing = _block_places(context, horizon, width, like=actions)
    # What was seen does not depend on the actions to come: L steps of zeros go first.
    slopes = actions.new_zeros(episodes, context + horizon, horizon * width, model.latent_dim)
    for step in range(horizon):
        known = (step + 1) * width  # actions sent so far
        sent.append(actions[:, step])
        features = torch.cat(seen[-context:] + sent[-context:], -1)
        windows = slopes[:, step : step + context, :known].unbind(1)
        blocks = placing[-known:].expand(episodes, -1, -1)
        change, change_slopes = _push(model, features, torch.cat([*windows, blocks], -1))
        following = seen[-1] + change
        seen.append(following if drift is None else following + drift)
        slopes[:, context + step, :known] = windows[-1] + change_slopes
    return torch.stack(seen[context:], 1), slopes[:, context:]


def _push(model: WorldModel, features: Tensor, slopes: Tensor) -> tuple[Tensor, Tensor]:
    """The predicted change (E, D) of the embedding and its derivatives (E, P, D).

    By the predictor's own ``push`` where it has one, else by automatic differentiation.
    """
    push = getattr(model.predictor, "push", None)
    if push is not None:
        change, change_slopes = push(features, slopes)
        return change, change_slopes
    with torch.enable_grad():
        at = features.detach().requires_grad_()
        change = _change(model, at)
        basis = torch.eye(change.shape[-1]).to(at)[:, None].expand(-1, *change.shape)
        (rows,) = torch.autograd.grad(change, at, basis, is_grads_batched=True)  # (D, E, F)
    return change.detach(), slopes @ rows.permute(1, 2, 0)


def _change(model: WorldModel, features: Tensor) -> Tensor:
    """What the predictor adds to the newest embedding, from its inputs side by side (E, F)."""
    split = model.context * model.latent_dim
    window = features[:, :split].reshape(len(features), model.context, -1)
    blocks = features[:, split:].reshape(len(features), model.context, -1)
    change: Tensor = model.predictor(window, blocks) - window[:, -1]
    return change


def _block_places(context: int, horizon: int, width: int, like: Tensor) -> Tensor:
    """Derivative (H*K*A, L*K*A) of the L newest action blocks by all H: ones where they are."""
    places = like.new_zeros(horizon * width, context * width)
    count = min(context, horizon) * width
    places[-count:, -count:] = torch.eye(count).to(like)
    return places
