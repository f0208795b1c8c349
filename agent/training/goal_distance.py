"""The distance the planner goes down, fitted to what a trained model makes of the recordings.

Curved slow features, fitted to embeddings that are shaken (:mod:`agent.training.slow_features`).
How far they are shaken is a choice: the farther, the smoother the distance and the finer it is near
a goal, and at some point its curves are lost and there are false minima. Recordings tell without
any state: on the graph of the embeddings that followed one another, going downhill ends at the goal
or does not (:mod:`agent.training.geometry`). It takes all of them; on a few, ways are missing and
minima seem false that are none.
"""

from __future__ import annotations

import numpy as np
import torch

from agent.model.chance import own_chance
from agent.model.metric import commute_time_metric, goal_metric
from agent.model.slow_features import SlowFeatures
from agent.model.world_model import WorldModel
from agent.training.geometry import HORIZON, Rows, geometry
from agent.training.slow_features import STEPS, fit_slow_features

NOISES = (0.4, 0.2, 0.1, 0.0)  # of embeddings, whose numbers have a deviation of about 1
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
    best, least = _linear(model, embeddings), np.inf
    for noise in NOISES:
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


def _linear(model: WorldModel, embeddings: Rows) -> SlowFeatures:
    """What is left where recordings are too short for curved ones, or nothing moves in them."""
    settings = model.config
    commute = commute_time_metric(embeddings, settings.action_block, model.commuting)
    spread = np.concatenate([np.asarray(z, np.float64) for z in embeddings]) @ commute
    commute *= np.sqrt(model.latent_dim / max(float(spread.var(0).sum()), 1e-12))
    with own_chance(), torch.no_grad():
        made = SlowFeatures(model.latent_dim, settings.bent, model.commuting)
        made.straight.weight.copy_(torch.from_numpy(commute.T))
    return made.to(model.goal_metric.device).eval()


@torch.no_grad()
def _false_minima(model: WorldModel, embeddings: Rows) -> float:
    """Share of starts; cells are of plain embeddings, so that any two distances compare."""
    at = model.goal_metric
    measured = [model.measured(torch.as_tensor(z).to(at)).cpu().numpy() for z in embeddings]
    found = geometry(embeddings, measured, HORIZON * model.config.action_block)
    return 0.0 if found is None else found.false_minima
