"""Data of worlds of other shapes, recordings made elsewhere, and a user's own behaviours."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest
from small_rollouts import BOX, WORLDS

from agent.data import CollectConfig, RolloutStore, RolloutWriter, collect, inspect_dataset
from agent.data.worker import ShardTask, named_behaviour
from agent.errors import UserError
from envs import Column, WorldError, WorldSpec, make_world

SPEC = WorldSpec("recorded:film", "webcam", (16, 24), 1, 0.1)


def episode(steps: int, seed: int = 0):
    rng = np.random.default_rng(seed)
    frames = rng.integers(0, 256, (steps + 1, 16, 24, 3), np.uint8)
    return frames, rng.uniform(-1, 1, (steps, 1)).astype(np.float32)


@pytest.mark.parametrize(("name", "actions", "states"), [("BlindBox", 1, 0), ("FiveBox", 5, 2)])
def test_other_numbers_of_actions_and_states(fake_crew, tmp_path, name, actions, states):
    settings = {**BOX, "world": f"{WORLDS}:{name}", "image_size": None}
    store = collect(CollectConfig(tmp_path / "set", **settings))
    memory, disk = store.load(), store.load(memory_limit_bytes=0)
    assert memory.pixels.shape[1:] == (16, 24, 3)
    assert (memory.action.shape[1], memory.state.shape[1]) == (actions, states)
    np.testing.assert_array_equal(disk.pixels[np.arange(store.row_count)], memory.pixels)
    assert inspect_dataset(store.directory)["action dim"] == actions


def test_recordings_come_back_as_added_and_grow(tmp_path):
    lengths = (3, 7, 1)
    for seed, steps in enumerate(lengths):
        with RolloutWriter(tmp_path, SPEC, episodes_per_shard=2, extend=seed > 0) as writer:
            writer.add(*episode(steps, seed))
    episodes = RolloutStore.open(tmp_path).load()
    assert episodes.ep_len.tolist() == [4, 8, 2]
    for number, steps in enumerate(lengths):
        frames, actions = episode(steps, number)
        np.testing.assert_array_equal(episodes.pixels[episodes.rows(number)], frames)
        np.testing.assert_array_equal(episodes.action[episodes.rows(number)][:-1], actions)


def test_a_frame_that_changes_its_size_is_told(monkeypatch, tmp_path):
    config = CollectConfig(tmp_path, f"{WORLDS}:FiveBox", episodes=1, episode_steps=9, workers=1)
    world = make_world(config.world)
    draw, drawn = world.frame, []

    def frame():
        drawn.append(draw())
        return drawn[-1] if len(drawn) < 4 else drawn[-1][:2]

    monkeypatch.setattr(world, "frame", frame)
    with pytest.raises(WorldError, match=r"uint8 \(16, 24, 3\).*got uint8 \(2, 24, 3\) at tick 3"):
        config._shard(ShardTask(0, 0, 1), world, config.find_behaviour("ou", world))


def test_what_differs_from_the_data_is_named(tmp_path):
    config = CollectConfig(tmp_path, f"{WORLDS}:FiveBox", episodes=1, episode_steps=9, workers=1)
    spec = replace(make_world(config.world).spec, state=(Column("x", "m", tolerance=0.1),))
    other = replace(spec, state=(Column("x", "m", tolerance=0.2),))
    header = config.header(spec, {})
    assert header.difference(config.header(spec, {"numpy": "1"})) == ""
    assert header.difference(config.header(other, {})) == "x.tolerance = 0.1, got 0.2"
    untold = replace(config, seed=7).header(replace(spec, state=(Column("x", "m"),)), {})
    assert header.difference(untold) == "x.tolerance = 0.1, got None; seed = 0, got 7"


def test_frames_that_no_model_learns_from_are_not_recorded(tmp_path):
    small = replace(SPEC, image_size=(24, 15))
    with pytest.raises(UserError, match=r"at least 16 px a side.*got 15x24 of recorded:film"):
        RolloutWriter(tmp_path / "film", small)
    config = CollectConfig(tmp_path / "set", f"{WORLDS}:EndlessBox", image_size=8, workers=1)
    with pytest.raises(UserError, match=r"at least 16 px a side.*got 8x8"):
        collect(config)
    assert not list(tmp_path.iterdir())


def test_an_exception_keeps_what_was_added(tmp_path):
    with pytest.raises(ZeroDivisionError), RolloutWriter(tmp_path, SPEC) as writer:
        writer.add(*episode(3))
        raise ZeroDivisionError
    assert RolloutStore.open(tmp_path).episode_count == 1


def test_another_spec_and_a_second_writer_are_refused(tmp_path):
    with RolloutWriter(tmp_path, SPEC), pytest.raises(UserError, match="close what it opened"):
        RolloutWriter(tmp_path, SPEC)
    with pytest.raises(UserError, match="action_dim"):
        RolloutWriter(tmp_path, WorldSpec("recorded:film", "webcam", (16, 24), 2, 0.1))


def test_what_does_not_fit_is_named_and_not_kept(tmp_path):
    frames, actions = episode(3)
    with RolloutWriter(tmp_path, SPEC) as writer:
        for wrong, words in (
            ((frames[:-1], actions), "frames"),
            ((frames.astype(float), actions), "frames"),
            ((np.concatenate([frames, frames], 3), actions), r"leave out the other channels"),
            ((frames[..., :1], actions), "three equal colours"),
            ((frames[:, 1:], actions), "are not enlarged"),
            ((np.repeat(frames, 2, 1), actions), r"agent\.resized"),
            ((frames, np.hstack([actions, actions])), "actions"),
            ((frames, actions * 9), r"\[-1, 1\]"),
            ((frames, actions, np.zeros((4, 1))), "states"),
        ):
            with pytest.raises(UserError, match=words):
                writer.add(*wrong)
    assert RolloutStore.open(tmp_path).episode_count == 0


@pytest.mark.parametrize("name", ["draw_forward", "FORWARD"])
def test_a_users_behaviour_moves_the_world(fake_crew, tmp_path, name):
    config = CollectConfig(tmp_path / "set", **BOX, behaviour=f"{WORLDS}:{name}")
    pickle.loads(pickle.dumps(config))
    assert np.nanmin(collect(config).load().action) == 1.0


@pytest.mark.parametrize(("name", "words"), [("NUMBER", "got 3"), ("absent", "got None")])
def test_what_is_no_behaviour_is_named(name, words):
    with pytest.raises(WorldError, match=words):
        named_behaviour(f"{WORLDS}:{name}", make_world(BOX["world"]))


def test_a_users_file_that_fails_names_their_line(tmp_path):
    file = tmp_path / "broken_behaviour.py"
    file.write_text("\n1 / 0\n")
    with pytest.raises(WorldError, match="line 2"):
        named_behaviour(f"{file}:name", make_world(BOX["world"]))


def test_litter_of_the_system_is_no_content(fake_crew, tmp_path):
    for name in (".DS_Store", "._x"):
        (tmp_path / name).write_text("")
    (tmp_path / "lost+found").mkdir()
    assert collect(CollectConfig(tmp_path, **BOX)).episode_count == 6
