"""Mahalanobis distances: closed forms, and what a fault is counted on."""

import numpy as np
import pytest

from agent.config import preset
from agent.data.episodes import Episodes
from agent.model.world_model import WorldModel
from benchmarks import chi_square
from benchmarks.chi_square import KINDS, Law, Recordings
from envs import make_world

E, T = 2, 150


@pytest.fixture(scope="module")
def recordings() -> Recordings:
    world = make_world("two-room")
    rng = np.random.default_rng(0)
    actions = rng.uniform(-1, 1, (E * (T + 1), 2)).astype(np.float32)
    frames = rng.integers(0, 256, (E * (T + 1), *world.spec.frame_shape), np.uint8)
    first, long = np.arange(E) * (T + 1), np.full(E, T + 1)
    episodes = Episodes(frames, actions, np.zeros((E * (T + 1), 0)), first, long)
    return Recordings(WorldModel(preset("tiny").model, world.spec).eval(), episodes)


def test_gaussian_vectors_leave_a_limit_as_often_as_the_law_says() -> None:
    rng = np.random.default_rng(0)
    mixing = rng.normal(size=(5, 5))
    law = Law.of(rng.normal(size=(400_000, 5)) @ mixing + 3)
    squared = law.squared(rng.normal(size=(400_000, 5)) @ mixing + 3)
    assert law.degrees == 5
    for chance in (0.1, 0.01, 0.001):
        assert (squared > law.limit(chance)).mean() == pytest.approx(chance, rel=0.2)


def test_what_hardly_varies_is_no_degree_of_freedom() -> None:
    vectors = np.random.default_rng(0).normal(size=(100, 3)) * [1, 1, 1e-5]
    assert Law.of(vectors).degrees == 2


def test_a_camera_without_a_fault_sees_what_it_saw(recordings: Recordings) -> None:
    healthy = recordings.healthy()
    same = recordings.with_fault("none", lambda seen, began, rng: seen[-1])
    began = np.random.default_rng(
        np.random.SeedSequence(chi_square.SEED, spawn_key=(chi_square.hash_of("none"),))
    ).integers(*chi_square.BEGINS)
    first = began - (T + 1 - healthy[KINDS[0]].shape[1])
    for kind, found in same.items():
        expected = healthy[kind][:, first : first + found.shape[1]]
        np.testing.assert_allclose(found, expected, atol=1e-4)
    other = recordings.with_fault("none", lambda seen, began, rng: 255 - seen[-1])
    assert all(not np.allclose(other[kind], same[kind]) for kind in KINDS)
