"""Behaviours: the torques they promise, a pure function of the random stream."""

from __future__ import annotations

import numpy as np
import pytest

from agent.data import BEHAVIOURS, behaviour_named, episode_rng, roll_out
from agent.data.behaviours import ou_torques, uniform_torques
from agent.errors import UserError
from envs import WRIST_LIMIT_RAD, ReacherSimulator


@pytest.mark.parametrize("name", BEHAVIOURS)
def test_conformance(name):
    behaviour, simulator = behaviour_named(name), ReacherSimulator()
    episode = roll_out(simulator, behaviour, np.random.default_rng(0), 100)
    assert episode.actions.shape == (100, 2)
    assert episode.actions.dtype == np.float32
    assert np.abs(episode.actions).max() <= 1.0
    again = roll_out(simulator, behaviour, np.random.default_rng(0), 100)
    for first, second in zip(episode, again, strict=True):
        np.testing.assert_array_equal(first, second)
    starts = [behaviour.draw_start(np.random.default_rng(seed)) for seed in range(50)]
    assert all(abs(qpos[1]) <= WRIST_LIMIT_RAD for qpos, _ in starts)
    assert all(qvel.shape == (2,) for _, qvel in starts)


@pytest.mark.parametrize("name", ["ou", "uniform"])
def test_random_torques_start_at_rest_anywhere(name):
    qpos, qvel = behaviour_named(name).draw_start(np.random.default_rng(0))
    assert -np.pi <= qpos[0] < np.pi
    np.testing.assert_array_equal(qvel, [0, 0])


def test_ou_torques_are_stationary_and_as_correlated_as_drawn(monkeypatch):
    monkeypatch.setattr("agent.data.behaviours.TORQUE_SCALE_RANGE", (0.2, 0.2))
    monkeypatch.setattr("agent.data.behaviours.CORRELATION_RANGE", (0.9, 0.9))
    rng = np.random.default_rng(0)
    torques = np.stack([ou_torques(rng, 50) for _ in range(2000)]).astype(
        float
    )  # (runs, steps, joint)
    np.testing.assert_allclose(torques.std(axis=0), 0.2, atol=0.015)  # at step 0 as at step 49
    lag = (torques[:, 1:] * torques[:, :-1]).mean() / (torques**2).mean()
    assert lag == pytest.approx(0.9, abs=0.01)
    assert abs((torques[..., 0] * torques[..., 1]).mean()) < 0.002  # joints are independent


def test_ou_episodes_differ_in_scale_and_correlation():
    torques = np.stack([ou_torques(episode_rng(0, e), 400) for e in range(200)]).astype(float)
    lag = (torques[:, 1:] * torques[:, :-1]).mean((1, 2)) / (torques**2).mean((1, 2))
    assert lag.min() < 0.1
    assert lag.max() > 0.9
    assert torques.std(axis=(1, 2)).min() < 0.3
    assert torques.std(axis=(1, 2)).max() > 0.6


def test_uniform_torques_are_uniform_and_independent():
    torques = uniform_torques(np.random.default_rng(0), 20_000)
    assert torques.var() == pytest.approx(1 / 3, abs=0.01)
    assert abs((torques[1:] * torques[:-1]).mean()) < 0.01


def test_an_unknown_behaviour_gets_the_nearest_name():
    with pytest.raises(UserError, match="did you mean 'uniform'"):
        behaviour_named("unifrom")


def test_roll_out_is_the_recorded_episode(real_store):
    episodes = real_store.load()
    seen: list[int] = []
    again = roll_out(
        ReacherSimulator(), behaviour_named("ou"), episode_rng(3, 4), 20, each_state=seen.append
    )
    rows = episodes.rows(4)
    np.testing.assert_array_equal(again.actions, episodes.action[rows][:-1])
    np.testing.assert_array_equal(again.qpos, episodes.qpos[rows])
    np.testing.assert_array_equal(again.qvel, episodes.qvel[rows])
    assert seen == list(range(21))
