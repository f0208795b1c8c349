"""The geometry of a goal metric, on walks whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from agent.training.geometry import geometry

REACH = 8


@pytest.fixture(scope="module")
def walks() -> list[np.ndarray]:
    """Of a point that is pushed about in a square (T, 2) and bounces off its walls."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(80):
        free = rng.uniform(-1, 1, 2) + np.cumsum(rng.normal(scale=0.04, size=(200, 2)), axis=0)
        found.append(np.abs((free + 1) % 4 - 2) - 1)
    return found


def test_the_true_place_leads_downhill_to_every_goal(walks):
    found = geometry(walks, walks, REACH)
    assert found is not None and found.joined == 1.0
    assert found.false_minima < 0.005 and found.rank_correlation > 0.9


def test_a_stretched_and_turned_plane_is_as_good(walks):
    turned = np.array([[0.8, -0.6], [0.6, 0.8]]) * 3.0
    plain, other = (
        geometry(walks, walks, REACH),
        geometry(walks, [w @ turned for w in walks], REACH),
    )
    assert plain is not None and other is not None
    assert other.false_minima == pytest.approx(plain.false_minima, abs=1e-9)
    assert other.rank_correlation == pytest.approx(plain.rank_correlation, abs=1e-6)


@pytest.mark.parametrize("bends", [4.0, 8.0])
def test_a_plane_wound_up_is_full_of_false_minima(walks, bends):
    wound = [np.column_stack([np.cos(bends * w), np.sin(bends * w)]) for w in walks]
    found = geometry(walks, wound, REACH)
    assert found is not None and found.false_minima > 0.1


def test_what_tells_nothing_apart_is_a_false_minimum_everywhere(walks):
    found = geometry(walks, [np.zeros((len(w), 1)) for w in walks], REACH)
    assert found is not None and found.false_minima == 1.0


def test_episodes_never_lead_into_one_another(walks):
    still = [np.tile(w[:1], (200, 1)) for w in walks]
    assert geometry(still, still, REACH) is None


def test_too_few_frames_say_nothing(walks):
    assert geometry([walks[0][:50]], [walks[0][:50]], REACH) is None


def test_the_same_seed_gives_the_same(walks):
    assert geometry(walks, walks, REACH) == geometry(walks, walks, REACH)


def test_a_cell_that_is_empty_is_no_news(recwarn):
    place = np.repeat([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]], 40, 0)  # three places, four cells
    geometry([place], [place], reach=8)
    assert not recwarn.list
