"""Windows: action t leads from frame t to frame t+1, inside one episode, the same every time."""

from __future__ import annotations

import numpy as np
import pytest

from agent.data import WindowSampler, prefetched
from agent.errors import UserError
from envs import ReacherSimulator, Renderer


def same(a, b) -> bool:
    return all(
        np.array_equal(getattr(a, n), getattr(b, n)) for n in ("frames", "actions", "states")
    )


def test_recorded_torques_lead_from_state_to_state(real_store):
    frames, stride = 4, 3
    sampler = WindowSampler(real_store.load(), range(6), frames, stride, batch=40, seed=0)
    window = sampler.sample(0)
    assert window.frames.shape == (40, frames, 64, 64, 3)
    assert window.actions.shape == (40, frames - 1, stride * 2)
    assert window.actions.dtype == np.float32
    simulator = ReacherSimulator()
    for states, actions in zip(window.states, window.actions, strict=True):
        for t in range(frames - 1):
            simulator.reset(states[t, :2], states[t, 2:])
            for torque in actions[t].reshape(stride, 2):
                simulator.step(torque)
            reached = np.concatenate([simulator.qpos_rad, simulator.qvel_rad_s])
            np.testing.assert_allclose(reached, states[t + 1], atol=1e-9)


def test_frames_show_their_states(real_store):
    window = WindowSampler(real_store.load(), range(6), 2, 1, batch=16, seed=1).sample(0)
    with Renderer(ReacherSimulator()) as renderer:
        for frames, states in zip(window.frames, window.states, strict=True):
            np.testing.assert_array_equal(frames[1], renderer.render_pose(states[1, :2]))


def test_a_step_always_gives_the_same_windows(fake_store):
    episodes = fake_store.load()
    one, other = (WindowSampler(episodes, [0, 2, 5], 3, 2, batch=8, seed=7) for _ in range(2))
    expected = [one.sample(step) for step in range(4)]
    assert all(same(other.sample(step), expected[step]) for step in (3, 0, 2, 1))
    assert not same(expected[0], expected[1])
    assert not same(expected[0], WindowSampler(episodes, [0, 2, 5], 3, 2, 8, seed=8).sample(0))


def test_windows_start_everywhere_they_fit_and_nowhere_else(fake_store):
    episodes = fake_store.load()
    sampler = WindowSampler(episodes, [1, 4], frames=5, stride=4, batch=2000, seed=0)
    states = sampler.sample(0).states
    rows = np.array([np.flatnonzero(episodes.qpos[:, 0] == start)[0] for start in states[:, 0, 0]])
    fitting = [offset + start for offset in (21, 84) for start in range(21 - 16)]
    assert sampler.window_count == len(fitting)
    assert sorted(set(rows.tolist())) == fitting
    assert np.isfinite(sampler.sample(0).actions).all()
    # Uniform: 2000 draws over 10 starts, each 200 ± 14.
    assert np.abs(np.bincount(rows)[fitting] - 200).max() < 70


def test_the_longest_window_fits_and_a_longer_one_is_refused(fake_store):
    episodes = fake_store.load()
    assert WindowSampler(episodes, [0], 11, 2, 4, 0).window_count == 1
    with pytest.raises(UserError, match="needs episodes of 23 rows, got one of 21"):
        WindowSampler(episodes, [0], 12, 2, 4, 0)


@pytest.mark.parametrize("ids", [[], [6], [-1]])
def test_unknown_episodes_are_refused(fake_store, ids):
    with pytest.raises(UserError, match="episode numbers from 0 to 5"):
        WindowSampler(fake_store.load(), ids, 3, 1, 4, 0)


@pytest.mark.parametrize("limit", [None, 0])
def test_prefetching_changes_nothing(fake_store, limit):
    sampler = WindowSampler(fake_store.load(limit), range(6), 3, 2, batch=4, seed=2)
    made = list(prefetched(sampler, range(5, 12)))
    assert [step for step, _ in made] == list(range(5, 12))
    assert all(same(window, sampler.sample(step)) for step, window in made)


def test_prefetching_can_be_left_early(fake_store):
    sampler = WindowSampler(fake_store.load(), range(6), 3, 2, batch=4, seed=2)
    windows = prefetched(sampler, iter(range(10**9)))
    assert next(windows)[0] == 0
    windows.close()
