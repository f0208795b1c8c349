"""The distance the planner goes down, fitted to what a trained model makes of the recordings.

Linear slow features are the finest there are near a goal. Where an embedding is curled they have
false minima; curved ones unroll it (:mod:`agent.model.slow_features`). How far a curved feature may
look beside the embeddings it was fitted to is a choice: the farther, the finer near a goal, and at
some point its curves are lost and false minima come back. Recordings tell without any state: on the
graph of the embeddings that followed one another, going downhill ends at the goal or does not
(:mod:`agent.training.geometry`). It takes all of them; on a few, ways are missing and minima seem
false that are none.
"""

from __future__ import annotations

import numpy as np
import torch

from agent.model.metric import Matrix, commute_time_metric, goal_metric
from agent.model.world_model import WorldModel
from agent.training.geometry import HORIZON, Rows, geometry
from agent.training.slow_features import STEPS, fit_slow_features

NOISES = (0.2, 0.1, 0.0)  # of embeddings, whose numbers have a deviation of about 1
FEW = 0.001  # false minima, as a share of all starts


def fit_goal_distance(model: WorldModel, embeddings: Rows, seed: int, steps: int = STEPS) -> None:
    """Fit it in place to embeddings (T, D) of episodes, in as many ``steps`` each time.

    Raises:
        ValueError: if no episode is longer than a model step.
    """
    settings = model.config
    lag, share = settings.action_block, settings.plain_share
    if model.slow is None:
        fitted = goal_metric(embeddings, lag, model.commuting, share)
        model.goal_metric.copy_(torch.from_numpy(fitted))
        return
    model.goal_metric.copy_(np.sqrt(share) * torch.eye(model.latent_dim)[:, : model.plain])
    _use_linear(model, commute_time_metric(embeddings, lag, model.commuting))
    best, least = model.slow, _false_minima(model, embeddings)
    for noise in NOISES if least > FEW else ():
        curved = fit_slow_features(
            embeddings, settings.bent, model.commuting, lag, seed, noise, steps
        )
        if curved is None:
            break
        model.slow = curved.to(model.goal_metric.device).eval()
        found = _false_minima(model, embeddings)
        if found < least:
            best, least = model.slow, found
        if least <= FEW:
            break
    model.slow = best


def _use_linear(model: WorldModel, commute: Matrix) -> None:
    assert model.slow is not None
    with torch.no_grad():
        model.slow.straight.weight.copy_(torch.from_numpy(commute.T))
        model.slow.out.weight.zero_()


@torch.no_grad()
def _false_minima(model: WorldModel, embeddings: Rows) -> float:
    """Share of starts; cells are of plain embeddings, so that any two distances compare."""
    at = model.goal_metric
    measured = [model.measured(torch.as_tensor(z).to(at)).cpu().numpy() for z in embeddings]
    found = geometry(embeddings, measured, HORIZON * model.config.action_block)
    return 0.0 if found is None else found.false_minima
