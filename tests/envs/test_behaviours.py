"""Behaviours: the actions they promise, a pure function of the random stream."""

from __future__ import annotations

from contextlib import closing

import numpy as np
import pytest

from envs import BEHAVIOURS, WorldError, behaviour_named, make_world, roll_out
from envs.behaviours import RESTLESS_TICKS, Behaviour, ou_actions, restless_actions, uniform_actions
from envs.reacher import WRIST_LIMIT_RAD


@pytest.mark.parametrize("action_dim", [1, 2, 5])
@pytest.mark.parametrize("name", BEHAVIOURS)
def test_conformance(name, action_dim):
    def draw():
        policy = BEHAVIOURS[name].draw_policy(np.random.default_rng(0), 100, action_dim)
        return np.stack([policy(None, t) for t in range(100)])

    actions = draw()
    assert actions.shape == (100, action_dim)
    assert actions.dtype == np.float32
    assert np.abs(actions).max() <= 1.0
    np.testing.assert_array_equal(actions, draw())


@pytest.mark.parametrize("name", [*BEHAVIOURS, "gaussian"])
def test_an_episode_is_a_pure_function_of_its_stream(name):
    world = make_world("reacher")
    behaviour = behaviour_named(name, world)
    one, other = (roll_out(world, behaviour, np.random.default_rng(0), 50) for _ in range(2))
    np.testing.assert_array_equal(one.actions, other.actions)
    np.testing.assert_array_equal(one.states, other.states)
    assert (len(one.actions), len(one.states)) == (50, 51)
    assert abs(one.states[0, 1]) <= WRIST_LIMIT_RAD


def test_ou_actions_are_stationary_and_as_correlated_as_drawn(monkeypatch):
    monkeypatch.setattr("envs.behaviours.SCALE_RANGE", (0.2, 0.2))
    monkeypatch.setattr("envs.behaviours.CORRELATION_RANGE", (0.9, 0.9))
    rng = np.random.default_rng(0)
    actions = np.stack([ou_actions(rng, 50, 2) for _ in range(2000)]).astype(float)
    np.testing.assert_allclose(actions.std(axis=0), 0.2, atol=0.015)  # at step 0 as at step 49
    lag = (actions[:, 1:] * actions[:, :-1]).mean() / (actions**2).mean()
    assert lag == pytest.approx(0.9, abs=0.01)
    assert abs((actions[..., 0] * actions[..., 1]).mean()) < 0.002  # actions are independent


def test_ou_episodes_differ_in_scale_and_correlation():
    rngs = (np.random.default_rng([0, episode]) for episode in range(200))
    actions = np.stack([ou_actions(rng, 400, 2) for rng in rngs]).astype(float)
    lag = (actions[:, 1:] * actions[:, :-1]).mean((1, 2)) / (actions**2).mean((1, 2))
    assert lag.min() < 0.1
    assert lag.max() > 0.9
    assert actions.std(axis=(1, 2)).min() < 0.3
    assert actions.std(axis=(1, 2)).max() > 0.6


def test_a_restless_episode_changes_within_itself():
    rngs = (np.random.default_rng([1, episode]) for episode in range(200))
    actions = np.stack([restless_actions(rng, 4 * RESTLESS_TICKS + 7, 2) for rng in rngs])
    assert actions.shape == (200, 4 * RESTLESS_TICKS + 7, 2)
    pieces = actions[:, : 4 * RESTLESS_TICKS].reshape(200, 4, RESTLESS_TICKS, 2)
    strengths = np.sqrt(np.square(pieces).mean((2, 3)))  # (200, 4)
    alike = np.corrcoef(strengths, rowvar=False)
    assert np.abs(alike - np.eye(4)).max() < 0.25  # one piece says nothing of the next
    ratio = strengths.max(1) / strengths.min(1)
    assert np.median(ratio) > 3
    assert np.median([a.std() for a in pieces[:, 0]]) == pytest.approx(
        np.median([a.std() for a in pieces[:, 3]]), rel=0.25
    )


def test_restless_play_goes_all_over_a_world_that_is_crossed_slowly():
    world = make_world("dmc:point_mass-easy")
    seen = {}
    for name in ("ou", "restless"):
        rngs = (np.random.default_rng([2, episode]) for episode in range(60))
        played = [roll_out(world, behaviour_named(name, world), rng, 200).states for rng in rngs]
        places = np.concatenate(played)[:, :2]  # [m], the arena is 0.6 m a side
        seen[name] = (np.histogram2d(*places.T, 12, [(-0.3, 0.3)] * 2)[0] >= 10).mean()
    assert seen["restless"] > 0.85
    assert seen["ou"] < 0.75


def test_uniform_actions_are_uniform_and_independent():
    actions = uniform_actions(np.random.default_rng(0), 20_000, 2)
    assert actions.var() == pytest.approx(1 / 3, abs=0.01)
    assert abs((actions[1:] * actions[:-1]).mean()) < 0.01


def test_a_state_that_is_no_number_is_not_recorded(monkeypatch):
    world = make_world("two-room")
    state, seen = world.state, []

    def lost():
        seen.append(state())
        return seen[-1] if len(seen) < 6 else np.array([0.5, np.nan])

    monkeypatch.setattr(world, "state", lost)
    with pytest.raises(WorldError, match=r"'two-room', got y = nan at tick 5"):
        roll_out(world, BEHAVIOURS["uniform"], np.random.default_rng(0), 20)


def test_a_start_of_another_shape_is_named():
    drawn = Behaviour("crooked", BEHAVIOURS["ou"].draw_policy, lambda rng: np.zeros(3))
    said = r"'crooked' to draw a start \(2,\), got \(3,\)"
    with closing(make_world("two-room")) as world, pytest.raises(WorldError, match=said):
        roll_out(world, drawn, np.random.default_rng(0), 3)


def test_an_unknown_behaviour_gets_the_nearest_name():
    with pytest.raises(WorldError, match="did you mean 'uniform'"):
        behaviour_named("unifrom", make_world("reacher"))


def test_a_world_that_scales_actions_in_place_rewrites_no_record(monkeypatch):
    world = make_world("two-room")
    plain = roll_out(world, BEHAVIOURS["uniform"], np.random.default_rng(3), 10)
    step = world.step
    monkeypatch.setattr(world, "step", lambda action: (step(action), action.fill(0.0))[0])
    again = roll_out(world, BEHAVIOURS["uniform"], np.random.default_rng(3), 10)
    np.testing.assert_array_equal(again.actions, plain.actions)
    assert plain.actions.any()


@pytest.mark.parametrize("offered", [["drawn"], {"drawn": lambda rng, ticks, width: None}])
def test_what_is_no_behaviour_is_named(offered):
    world = make_world("two-room")
    world.behaviours = offered
    with pytest.raises(
        WorldError, match=r"expected behaviours of two-room: envs\.Behaviour by name"
    ):
        behaviour_named("drawn", world)
    with pytest.raises(WorldError, match=r"expected an envs\.Behaviour"):
        roll_out(world, "restless", np.random.default_rng(0), 3)
    with pytest.raises(WorldError, match="default_rng"):
        roll_out(world, BEHAVIOURS["ou"], 3, 3)
