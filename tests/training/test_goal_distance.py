"""The distance a planner goes down: straight where the embedding is flat, curved where it curls."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from agent.config import preset
from agent.model.folded_measure import FoldedMeasure
from agent.model.metric import commute_time_metric
from agent.model.slow_features import SlowFeatures
from agent.model.world_model import WorldModel
from agent.training import goal_distance
from agent.training.geometry import geometry
from agent.training.goal_distance import fit_goal_distance
from agent.training.slow_features import fit_slow_features
from envs import Column, WorldSpec

SPEC = WorldSpec("recorded:square", "none", (16, 16), 1, 0.1, (Column("x"), Column("y")))
LATENT = 12


STEPS = 300  # what these squares need


@pytest.fixture(scope="module")
def walks() -> list[np.ndarray]:
    """Of a point in a square (T, 2) that bounces off its walls."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(60):
        free = rng.uniform(-1, 1, 2) + np.cumsum(rng.normal(scale=0.05, size=(150, 2)), axis=0)
        found.append((np.abs((free + 1) % 4 - 2) - 1).astype(np.float32))
    return found


def curled(walk: np.ndarray) -> np.ndarray:
    """A square wound into many directions, none of which tells its ends apart."""
    turns = np.concatenate([k * walk for k in (4.0, 6.0, 8.0)], 1)
    return np.concatenate([np.cos(turns), np.sin(turns)], 1).astype(np.float32)


def a_model(bent: int = 32) -> WorldModel:
    settings = preset("tiny").model
    encoder = replace(settings.encoder, latent_dim=LATENT)
    torch.manual_seed(0)
    return WorldModel(replace(settings, encoder=encoder, bent=bent), SPEC).eval()


def false_minima(model: WorldModel, walks: list[np.ndarray], seen: list[np.ndarray]) -> float:
    with torch.no_grad():
        measured = [model.measured(torch.from_numpy(z)).numpy() for z in seen]
    found = geometry(walks, measured, 8)
    assert found is not None
    return found.false_minima


def test_a_curled_embedding_is_unrolled(walks):
    seen = [curled(walk) for walk in walks]
    straight, either = a_model(bent=0), a_model()
    for model in (straight, either):
        fit_goal_distance(model, seen, seed=0, steps=STEPS)
    assert false_minima(straight, walks, seen) > 0.05
    assert false_minima(either, walks, seen) < 0.5 * false_minima(straight, walks, seen)


def test_a_shaken_feature_does_not_hang_on_what_lies_beside(walks):
    """Ten of twelve directions are never taken: only noise tells a feature to ignore them."""
    seen = [np.pad(walk, ((0, 0), (0, LATENT - 2))) for walk in walks]
    beside = []
    for noise in (0.0, 0.2):
        features = fit_slow_features(seen, 32, 2, 1, seed=0, noise=noise, steps=STEPS)
        assert features is not None
        places = torch.from_numpy(np.concatenate(seen)[::50])
        slopes = torch.func.vmap(torch.func.jacrev(features))(places)  # (P, 2, LATENT)
        beside.append((slopes[..., 2:].norm() / slopes[..., :2].norm()).item())
    assert beside[1] < 0.1 < beside[0]


@pytest.mark.parametrize(
    ("counts", "kept"),
    [([0.0009], 0.4), ([0.5, 0.0], 0.2), ([0.5, 0.3, 0.0], 0.1), ([0.5, 0.02, 0.03, 0.01], 0.0),
     ([0.1, 0.5, 0.5, 0.5], 0.4)],
)  # fmt: skip
def test_as_much_noise_as_leaves_few_false_minima(walks, monkeypatch, counts, kept):
    tried, found = {}, iter(counts)

    def fit(model, width, lag, seed, rest, noise, steps):
        tried[noise] = SlowFeatures(LATENT, 32, 8)
        return tried[noise]

    monkeypatch.setattr(goal_distance, "fit_slow_features", fit)
    monkeypatch.setattr(goal_distance, "_false_minima", lambda *given: next(found))
    model = a_model()
    fit_goal_distance(model, [curled(walk) for walk in walks], seed=0)
    assert model.slow is tried[kept] and len(tried) == len(counts)


def test_what_is_too_short_to_be_curved_is_linear(walks):
    model = a_model()
    short = [curled(walk)[:10] for walk in walks]
    fit_goal_distance(model, short, seed=0)
    assert model.slow is not None and not model.slow.out.weight.any()
    expected = commute_time_metric(short, model.config.action_block, model.commuting)
    found = model.slow.straight.weight.detach().numpy().T
    np.testing.assert_allclose(found / np.linalg.norm(found), expected / np.linalg.norm(expected),
                               atol=1e-5)  # fmt: skip
    spread = (np.concatenate(short) @ found).var(0).sum()
    assert spread == pytest.approx(model.latent_dim, rel=1e-4)  # the scale of the curved one


@pytest.mark.parametrize("bent", [0, 8])
def test_planning_measures_what_the_model_does_and_slopes_are_its_derivatives(bent):
    torch.manual_seed(0)
    model = a_model(bent=bent).double()
    torch.nn.init.normal_(model.goal_metric)
    if model.slow is not None:
        torch.nn.init.normal_(model.slow.out.weight)
    z, directions = torch.randn(2, LATENT).double(), torch.randn(2, 5, LATENT).double()
    measure = FoldedMeasure(model)
    torch.testing.assert_close(measure(z), model.measured(z))
    for row in range(2):
        exact = torch.autograd.functional.jacobian(model.measured, z[row]) @ directions[row].T
        torch.testing.assert_close(measure.slopes(z, directions)[row], exact.T)


def test_the_slowest_features_of_a_square_are_one_for_each_side(walks):
    """Its slowest eigenfunctions are cos(πx/2 + π/2) and the same of y: monotone in each."""
    features = fit_slow_features(
        [np.asarray(w) for w in walks], 32, 2, 1, seed=0, noise=0.1, steps=STEPS
    )
    assert features is not None
    place = np.concatenate(walks)
    with torch.no_grad():
        found = features(torch.from_numpy(place)).numpy()
    wanted = np.sin(np.pi / 2 * place)
    rest = found - found.mean(0)
    explained = wanted @ np.linalg.lstsq(wanted, rest, rcond=None)[0]
    assert ((rest - explained) ** 2).sum() < 0.1 * (rest**2).sum()


def test_combined_features_are_those_times_a_matrix():
    features, matrix = SlowFeatures(4, 8, 3), torch.randn(3, 2)
    torch.nn.init.normal_(features.out.weight)
    z = torch.randn(5, 4)
    with torch.no_grad():
        torch.testing.assert_close(features.combined(matrix)(z), features(z) @ matrix)


def test_episodes_too_short_for_a_pair_leave_it_linear():
    short = [np.zeros((3, 4), np.float32)]
    assert fit_slow_features(short, 8, 2, 2, seed=0, noise=0.1) is None


@pytest.mark.parametrize("noise", [0.0, 0.2])
def test_where_nothing_moves_there_is_nothing_to_fit(noise):
    still = [np.zeros((60, 4), np.float32)] * 3
    assert fit_slow_features(still, 8, 2, 2, seed=0, noise=noise, steps=5) is None
