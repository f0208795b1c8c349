"""Data that outgrow memory: served in turn, the same windows wherever one begins."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from agent.data import RolloutStore, RolloutWriter
from agent.data.rotation import AHEAD, RotatingSampler, Rotation
from agent.data.windows import Drawing
from agent.errors import DamagedDataError, UnfitError
from agent.training.settings import TrainingConfig
from envs import WorldSpec

SPEC = WorldSpec("recorded:numbers", "drawn", (16, 16), 2, 0.04)
SHARDS, PER_SHARD, STEPS = 12, 3, 30
DRAWING = Drawing(frames=4, stride=2, batch=8, seed=0)
TURN_STEPS = 12  # of 32 frames each: 4 times the 93 rows of a shard
Sampler = Callable[..., RotatingSampler]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> RolloutStore:
    """Every frame and its action say of which episode and tick they are; not to be changed."""
    out = tmp_path_factory.mktemp("rotation") / "data"
    with RolloutWriter(out, SPEC, PER_SHARD) as writer:
        for episode in range(SHARDS * PER_SHARD):
            frames = np.zeros((STEPS + 1, 16, 16, 3), np.uint8)
            frames[..., 0], frames[..., 1] = episode, np.arange(STEPS + 1)[:, None, None]
            ticks = np.column_stack([np.full(STEPS, episode), np.arange(STEPS)])
            writer.add(frames, ticks / 100)
    return RolloutStore.open(out)


@pytest.fixture
def sampler(store: RolloutStore) -> Sampler:
    """Holds 4 shards; from all episodes but the last five unless told."""

    def make(episodes: int = SHARDS * PER_SHARD - 5, drawing: Drawing = DRAWING) -> RotatingSampler:
        return RotatingSampler(Rotation(store, np.arange(episodes), 4, 32, seed=0), drawing)

    return make


def seen(sampler: RotatingSampler, steps: range) -> np.ndarray:
    """Episode and tick (steps * B, 2) of the first frame of every window."""
    windows = [sampler.sample(step).frames[:, 0, 0, 0, :2] for step in steps]
    return np.concatenate(windows).astype(int)


def test_a_window_is_of_one_episode_with_its_actions(sampler: Sampler) -> None:
    rotating = sampler()
    for step in range(0, 60, 7):
        window = rotating.sample(step)
        episode, tick = window.frames[..., 0, 0, 0], window.frames[..., 0, 0, 1].astype(int)
        assert (episode == episode[:, :1]).all()
        assert (np.diff(tick, axis=1) == 2).all()
        sent = np.rint(100 * window.actions.reshape(8, 3, 2, 2)).astype(int)
        assert (sent[..., 0] == episode[:, :3, None]).all()
        assert (sent[..., 1] == tick[:, :3, None] + np.arange(2)).all()


def test_a_step_has_the_same_windows_wherever_one_begins(sampler: Sampler) -> None:
    through, later = sampler(), sampler()
    windows = [through.sample(step) for step in range(80)]
    for step in (79, 40, 41, 3):
        np.testing.assert_array_equal(later.sample(step).frames, windows[step].frames)
        np.testing.assert_array_equal(later.sample(step).actions, windows[step].actions)


def test_parts_of_two_ranks_are_the_batch_of_one(sampler: Sampler) -> None:
    one = sampler()
    parts = [sampler(drawing=Drawing(4, 2, 8, 0, part=(n, 2))) for n in range(2)]
    for step in (0, 30, 55):
        halves = np.concatenate([part.sample(step).frames for part in parts])
        np.testing.assert_array_equal(halves, one.sample(step).frames)


def test_every_episode_comes_as_often_as_if_all_were_there(sampler: Sampler) -> None:
    rotating = sampler()
    round_steps = TURN_STEPS * 11  # the shards that hold a training episode
    starts = seen(rotating, range(4 * round_steps, 8 * round_steps))
    often = np.bincount(starts[:, 0], minlength=SHARDS * PER_SHARD)
    assert (often[-5:] == 0).all()  # held out
    usual = len(starts) / 31
    assert np.abs(often[:31] / usual - 1).max() < 0.5
    assert len(np.unique(starts[:, 1])) == STEPS + 1 - 6


def test_a_batch_is_drawn_from_all_that_is_held(sampler: Sampler) -> None:
    rotating = sampler()
    shards = seen(rotating, range(TURN_STEPS))[:, 0] // PER_SHARD
    assert len(np.unique(shards)) == 4


def test_the_next_shard_is_there_before_its_turn(
    store: RolloutStore, sampler: Sampler, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, threads = [], set()
    usual = RolloutStore.read_shard

    def noted(self: RolloutStore, *given: object) -> object:
        read.append(given[0])
        threads.add(threading.current_thread().name)
        return usual(self, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(RolloutStore, "read_shard", noted)
    rotating = sampler()
    rotating.sample(0)
    rotating.sample(TURN_STEPS)
    assert len(read) <= 4 + AHEAD + 1
    assert threading.current_thread().name not in threads


def test_damage_is_raised_by_the_step_that_needs_the_shard(
    tmp_path: Path, store: RolloutStore
) -> None:
    whole = tmp_path / "data"
    shutil.copytree(store.directory, whole)
    record = store.records[5]
    content = bytearray(record.path(whole).read_bytes())
    content[len(content) // 2] ^= 1
    record.path(whole).write_bytes(content)
    rotating = RotatingSampler(
        Rotation(RolloutStore.open(whole), np.arange(36), 4, 32, seed=0), DRAWING
    )
    with pytest.raises(DamagedDataError, match=r"shard-00005\.h5"):
        for step in range(12 * TURN_STEPS):
            rotating.sample(step)


def test_shards_that_no_window_fits_in_have_no_turn(tmp_path: Path) -> None:
    """Of seven shards of two, one long episode each in the first two; the last long one is held
    out, and two shards at a time are often short ones only.
    """
    lengths = [30, 3, 3, 30, *[3] * 8, 3, 30]
    with RolloutWriter(tmp_path / "data", SPEC, 2) as writer:
        for episode, steps in enumerate(lengths):
            frames = np.full((steps + 1, 16, 16, 3), episode, np.uint8)
            writer.add(frames, np.zeros((steps, 2)))
    store, ids = RolloutStore.open(tmp_path / "data"), np.arange(13)
    fitting = RotatingSampler(Rotation(store, ids, 2, 32, 0, DRAWING.rows), DRAWING)
    drawn = np.concatenate([fitting.sample(s).frames[:, 0, 0, 0, 0] for s in range(200)])
    assert set(drawn) == {0, 3}
    with pytest.raises(UnfitError, match="got none above 4"):
        short = RotatingSampler(Rotation(store, np.arange(4, 13), 2, 32, 0, DRAWING.rows), DRAWING)
        short.sample(0)
    with pytest.raises(UnfitError, match="got none above 4"):
        any_of_them = RotatingSampler(Rotation(store, ids, 2, 32, 0), DRAWING)
        for step in range(200):
            any_of_them.sample(step)


def test_every_window_of_a_training_fits_in_the_longest() -> None:
    """Five frames two steps apart span 9 rows, a pair 40 steps apart 41."""
    usual = TrainingConfig(window_frames=5, warm_start=0.0, warm_start_lags=(40,))
    assert usual.longest_window(2) == 9
    assert replace(usual, warm_start=0.5).longest_window(2) == 41
