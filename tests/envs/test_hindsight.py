"""Replays are the oracle: start and goal of an episode lie on one deterministic path."""

from pathlib import Path

import numpy as np
import pytest

from envs import World, WorldError, judge_by_tolerance, load_user_module, make_world
from envs.gymnasium_world import GymnasiumWorld
from envs.hindsight import Hindsight, repeats_itself
from envs.task_catalogue import task_named, tasks_of
from envs.tasks import episodes_of, random_streams

SMALL = load_user_module(Path(__file__).with_name("small_worlds.py"))


def pendulum(ticks: int = 0) -> World:
    return GymnasiumWorld(SMALL.Pendulum("rgb_array", ticks), "pendulum", image_size=32)


def test_a_replay_leads_to_the_start_and_the_goal_is_so_many_steps_on() -> None:
    world, task = pendulum(), Hindsight(offset_steps=25)
    for index, episode in enumerate(episodes_of(task, world, range(3), 4)):
        rng, _ = random_streams("hindsight/ou", 4, index)
        recorded_seed, recording = task._record(world, rng)
        assert episode.start is None and recorded_seed == episode.world_seed
        first = len(episode.replay)
        episode.begin(world)
        np.testing.assert_array_equal(world.state(), recording.states[first])
        np.testing.assert_array_equal(episode.goal, recording.states[first + 25])
        for action in recording.actions[first : first + 25]:
            world.step(action)
        np.testing.assert_array_equal(episode.goal_picture(world), world.frame())


def test_variants_share_their_recordings() -> None:
    world = pendulum()
    near, far = (Hindsight(offset).episode(world, 4, 0) for offset in (25, 60))
    assert near.world_seed == far.world_seed


def test_a_posable_world_starts_in_the_state_itself() -> None:
    world = make_world("two-room")
    for episode in episodes_of(task_named("hindsight", world), world, range(3), 1):
        assert len(episode.replay) == 0
        episode.begin(world)
        np.testing.assert_array_equal(world.state(), episode.start)
        assert episode.goal_picture(world).shape == (64, 64, 3)


@pytest.mark.parametrize("name", ["hindsight", "anywhere", "hindsight-t100-b150"])
def test_an_episode_depends_on_seed_and_index_alone(name: str) -> None:
    world = make_world("two-room")
    task = task_named(name, world)
    many, few, other = (episodes_of(task, world, range(n), s) for n, s in ((4, 9), (2, 9), (2, 10)))
    for a, b in zip(many, few, strict=False):
        np.testing.assert_array_equal([a.start, a.goal], [b.start, b.goal])
        assert a.seed == b.seed
    assert len({e.seed for e in [*many, *other]}) == 6
    assert not np.array_equal(few[0].goal, other[0].goal)


def test_a_slow_world_may_take_longer_to_go_anywhere() -> None:
    world = make_world("two-room")
    usual, longer = task_named("anywhere", world), task_named("anywhere-b250", world)
    assert longer.budget_steps == 250 and longer.name == "anywhere-b250"
    drawn = (episodes_of(task, world, range(2), 3) for task in (longer, usual))
    for ours, theirs in zip(*drawn, strict=True):
        np.testing.assert_array_equal(ours.goal, theirs.goal)
    world.close()


def test_variants_are_read_from_their_names() -> None:
    world = make_world("two-room")
    task = task_named("hindsight-t7-b11", world)
    assert (task.offset_steps, task.budget_steps, task.behaviour) == (7, 11, "walk")
    assert task.name == "hindsight-t7-b11"
    assert task_named("anywhere", world).budget_steps == 120
    assert task_named("anywhere", make_world("dmc:cartpole-swingup")).budget_steps == 100
    assert task_named("anywhere", make_world("dmc:point_mass-easy")).budget_steps == 200
    assert "anywhere" not in tasks_of(pendulum())


def test_arriving_and_staying_is_judged_by_the_tolerance() -> None:
    world = make_world("two-room")
    episode = task_named("anywhere", world).episode(world, 0, 0)
    there = np.tile(episode.goal, (6, 1, 1))
    verdict = judge_by_tolerance(world.spec, there, episode.start, episode)
    assert verdict.held and verdict.steps_to_success == 1 and verdict.final_error == 0.0
    assert verdict.unit == "px"


def test_what_cannot_be_is_an_error_in_words() -> None:
    world = pendulum(ticks=10)
    with pytest.raises(WorldError, match="did you mean 'hindsight'"):
        task_named("hindsigt", world)
    with pytest.raises(WorldError, match="ended sooner"):
        Hindsight(25).episode(world, 0, 0)
    with pytest.raises(WorldError, match="at least 1 step ahead"):
        task_named("hindsight-t0-b5", world)
    with pytest.raises(WorldError, match="episodes >= 1"):
        episodes_of(Hindsight(5), world, range(0), 0)


def test_a_world_that_does_something_else_every_time_is_named() -> None:
    env = SMALL.Pendulum("rgb_array")
    begin = env.reset
    env.reset = lambda **asked: begin(seed=int(np.random.default_rng().integers(2**31)))
    moody = GymnasiumWorld(env, "moody", image_size=32)
    with pytest.raises(WorldError, match="to do the same again after the same seed and actions"):
        Hindsight().episode(moody, 0, 0)
    assert not repeats_itself(moody)
    assert repeats_itself(GymnasiumWorld(SMALL.Pendulum("rgb_array"), "even", image_size=32))
