"""The distance the planner goes down, fitted to what a trained model makes of the recordings.

Linear slow features are the finest there are near a goal, and where the embedding lies flat nothing
is better far away. Where it is curled they have false minima: then curved ones unroll it
(:mod:`agent.model.slow_features`). Which it is, the recordings tell without any state: on the graph
of the embeddings that followed one another, going downhill ends at the goal or does not
(:mod:`agent.training.geometry`).
"""

from __future__ import annotations

import numpy as np
import torch

from agent.model.metric import Matrix, commute_time_metric, goal_metric
from agent.model.world_model import WorldModel
from agent.training.geometry import HORIZON, Rows, geometry
from agent.training.slow_features import fit_slow_features

WORTH = 0.01  # false minima that curved features must save, as a share of all starts


def fit_goal_distance(model: WorldModel, sample: Rows, everything: Rows, seed: int) -> None:
    """Fit it in place to embeddings (T, D) of episodes: a ``sample``, and all there are.

    Raises:
        ValueError: if no episode is longer than a model step.
    """
    settings = model.config
    lag, share = settings.action_block, settings.plain_share
    if model.slow is None:
        fitted = goal_metric(sample, lag, model.commuting, share)
        model.goal_metric.copy_(torch.from_numpy(fitted))
        return
    model.goal_metric.copy_(np.sqrt(share) * torch.eye(model.latent_dim)[:, : model.plain])
    _use_linear(model, commute_time_metric(sample, lag, model.commuting))
    before = _false_minima(model, sample)
    if before <= WORTH:
        return
    straight = model.slow
    curved = fit_slow_features(everything, settings.bent, model.commuting, lag, seed)
    if curved is not None:
        model.slow = curved.to(model.goal_metric.device).eval()
        if _false_minima(model, sample) > before - WORTH:
            model.slow = straight


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
