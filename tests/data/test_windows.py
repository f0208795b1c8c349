"""Windows: action t leads from frame t to frame t+1, inside one episode, the same every time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from small_rollouts import BOX, WORLDS

from agent.data import CollectConfig, WindowSampler, collect
from agent.data.windows import Drawing
from agent.errors import UserError
from envs import make_world


def same(a, b) -> bool:
    return all(np.array_equal(getattr(a, n), getattr(b, n)) for n in ("frames", "actions"))


def rows_of(episodes, pictures):
    """Which row each picture (h, w, 3) is: all frames of a box differ."""
    known = {frame.tobytes(): row for row, frame in enumerate(episodes.pixels)}
    return np.array([known[picture.tobytes()] for picture in pictures])


def test_recorded_actions_lead_from_frame_to_frame(fake_store):
    frames, stride = 4, 3
    episodes = fake_store.load()
    window = WindowSampler(episodes, range(6), Drawing(frames, stride, 40, seed=0)).sample(0)
    assert window.frames.shape == (40, frames, 16, 16, 3)
    assert window.actions.shape == (40, frames - 1, stride * 3)
    assert window.actions.dtype == np.float32
    for seen, actions in zip(window.frames, window.actions, strict=True):
        states = episodes.state[rows_of(episodes, seen)]
        moved = 0.05 * actions.reshape(frames - 1, stride, 3).sum(axis=1)
        np.testing.assert_allclose(np.diff(states, axis=0), moved, atol=1e-6)


def test_recorded_torques_and_frames_belong_to_the_states(real_store):
    episodes = real_store.load()
    world = make_world("reacher")
    for row in (0, 7, 25):
        world.reset(np.random.default_rng(0), episodes.state[row])
        np.testing.assert_array_equal(world.frame(), episodes.pixels[row])
        world.step(episodes.action[row])
        np.testing.assert_allclose(world.state(), episodes.state[row + 1], atol=1e-9)
    world.close()


def test_windows_of_episodes_of_different_lengths_fit_each(fake_crew, tmp_path):
    settings = {**BOX, "world": f"{WORLDS}:Box", "episodes": 12}
    episodes = collect(CollectConfig(tmp_path, **settings)).load()
    assert len(set(episodes.ep_len.tolist())) > 2
    sampler = WindowSampler(episodes, range(12), Drawing(3, 2, batch=3000, seed=0))
    assert sampler.window_count == np.maximum(episodes.ep_len - 4, 0).sum()
    window = sampler.sample(0)
    assert np.isfinite(window.actions).all()  # no window reaches over an episode's last row
    assert len(set(rows_of(episodes, window.frames[:, 0]).tolist())) == sampler.window_count


def test_episodes_too_short_are_passed_over_aloud(fake_crew, tmp_path, caplog):
    settings = {**BOX, "world": f"{WORLDS}:Box", "episodes": 12}
    episodes = collect(CollectConfig(tmp_path, **settings)).load()
    longest = int(episodes.ep_len.max())
    sampler = WindowSampler(episodes, range(12), Drawing(longest, 1, batch=4, seed=0))
    assert sampler.window_count == (episodes.ep_len == longest).sum()
    assert "too short for windows" in caplog.text


def test_a_step_always_gives_the_same_windows(fake_store):
    episodes = fake_store.load()
    drawing = Drawing(3, 2, batch=8, seed=7)
    one, other = (WindowSampler(episodes, [0, 2, 5], drawing) for _ in range(2))
    expected = [one.sample(step) for step in range(4)]
    assert all(same(other.sample(step), expected[step]) for step in (3, 0, 2, 1))
    assert not same(expected[0], expected[1])
    reseeded = WindowSampler(episodes, [0, 2, 5], replace(drawing, seed=8))
    assert not same(expected[0], reseeded.sample(0))


def test_windows_start_everywhere_they_fit_and_nowhere_else(fake_store):
    episodes = fake_store.load()
    sampler = WindowSampler(episodes, [1, 4], Drawing(frames=5, stride=4, batch=2000, seed=0))
    rows = rows_of(episodes, sampler.sample(0).frames[:, 0])
    fitting = [offset + start for offset in (21, 84) for start in range(21 - 16)]
    assert sampler.window_count == len(fitting)
    assert sorted(set(rows.tolist())) == fitting
    assert np.isfinite(sampler.sample(0).actions).all()
    # Uniform: 2000 draws over 10 starts, each 200 ± 14.
    assert np.abs(np.bincount(rows)[fitting] - 200).max() < 70


def test_the_longest_window_fits_and_a_longer_one_is_refused(fake_store):
    episodes = fake_store.load()
    assert WindowSampler(episodes, [0], Drawing(11, 2, 4, 0)).window_count == 1
    with pytest.raises(UserError, match="needs episodes of 23 frames, got none above 21"):
        WindowSampler(episodes, [0], Drawing(12, 2, 4, 0))


@pytest.mark.parametrize("ids", [[], [6], [-1]])
def test_unknown_episodes_are_refused(fake_store, ids):
    with pytest.raises(UserError, match="episode numbers from 0 to 5"):
        WindowSampler(fake_store.load(), ids, Drawing(3, 1, 4, 0))
