"""Known controllers on a point that moves by its actions have known scores."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from contextlib import closing
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
from point_world import PACE, STEP_S, FromTo, PointWorld, Scripted, Straight

from agent.commands.steering import outcome, steer
from agent.errors import UserError
from agent.evaluation.play import Arena, Moment, Trial, evaluate, require_fit
from agent.interfaces import Decision, Goals, Needs, Seen
from agent.rivals.constant import NoOpController, RandomController
from envs import Episode, SpecError, Verdict, WorldError, episodes_of
from envs.anywhere import Anywhere


def play(controller: Any, task: Any, **world: Any) -> Verdict:
    """The verdict of one episode in a :class:`PointWorld`."""
    return evaluate(controller, task, lambda: PointWorld(**world), 1, seed=0)[0].verdict


def verdicts(trials: Sequence[Trial]) -> list[Verdict]:
    return [trial.verdict for trial in trials]


@pytest.mark.parametrize("axes", [1, 3])
def test_who_goes_straight_arrives_and_stays(axes: int) -> None:
    spec = PointWorld(axes).spec
    task = FromTo([-1.0] * axes, [1.0] * axes, 24)
    found = play(Straight(spec), task, axes=axes)
    # After n ticks it is at -1 + n/8; nearer than 1/4 to the goal first at n = 15.
    assert found == Verdict(0, False, True, True, 15, 0.0, "m")
    assert play(NoOpController(spec), task, axes=axes) == Verdict(
        0, False, False, False, None, 2.0, "m"
    )


def test_exactly_the_tolerance_away_is_not_there_yet() -> None:
    task = FromTo([0.0], [1.0], 6)  # six ticks end at 0.75, exactly a tolerance away
    assert play(Scripted(np.ones((1, 1))), task).steps_to_success is None
    assert play(Scripted(np.ones((1, 1))), FromTo([0.0], [1.0], 7)).steps_to_success == 7


def test_passing_through_is_a_touch_that_does_not_hold() -> None:
    found = play(Scripted(np.ones((1, 1))), FromTo([-1.0], [0.0], 24))
    assert (found.first_touch, found.held, found.steps_to_success) == (True, False, 7)
    assert found.final_error == 2.0


def test_held_means_every_tick_of_the_last_0_4_s() -> None:
    last = round(0.4 / STEP_S)
    spec = PointWorld().spec
    enough = play(Straight(spec), FromTo([0.0], [1.0], 6 + last))  # inside from tick 7 on
    short = play(Straight(spec), FromTo([0.0], [1.0], 6 + last - 1))
    assert (enough.held, short.held) == (True, False)
    assert short.first_touch


def test_what_begins_at_the_goal_is_told_and_needs_no_step() -> None:
    found = play(NoOpController(PointWorld().spec), FromTo([0.125], [0.25], 5))
    assert (found.solved_at_start, found.steps_to_success, found.held) == (True, 0, True)


@pytest.mark.parametrize(("ends_at", "touched", "held"), [(6, False, False), (11, True, True)])
def test_an_early_end_is_judged_on_what_there_was(ends_at: int, touched: bool, held: bool) -> None:
    spec = PointWorld().spec
    task = FromTo([0.0], [1.0], 40)
    found = play(Straight(spec), task, ends_at=ends_at)
    for ends, early in ((ends_at, True), (40, False), (0, False)):
        (trial,) = evaluate(Straight(spec), task, lambda n=ends: PointWorld(ends_at=n), 1, seed=0)
        assert trial.ended_early == early
    assert (found.first_touch, found.held) == (touched, held)
    assert found.final_error == max(0.0, 1.0 - PACE * ends_at)


@pytest.mark.parametrize("ends_at", [0, 9])
@pytest.mark.parametrize("axes", [1, 3])
def test_batch_size_changes_nothing(axes: int, ends_at: int) -> None:
    spec, task = PointWorld(axes).spec, Anywhere(20)
    for controller in (Straight(spec), RandomController(spec)):
        found = [
            verdicts(
                evaluate(controller, task, lambda: PointWorld(axes, ends_at), 26, 3, batch, timed)
            )
            for batch, timed in ((1, 0), (3, 2), (25, 26), (25, 0))
        ]
        assert found[0] == found[1] == found[2] == found[3]
    assert any(v.first_touch for v in found[0]) or axes == 3


def test_only_the_first_episodes_are_timed() -> None:
    task = Anywhere(7)
    trials = evaluate(
        NoOpController(PointWorld().spec), task, PointWorld, 4, seed=0, batch=2, timed_episodes=1
    )
    assert [len(trial.decision_ms) for trial in trials] == [7, 0, 0, 0]


def test_progress_ends_at_the_total() -> None:
    seen: list[tuple[int, int]] = []
    evaluate(
        NoOpController(PointWorld().spec), Anywhere(7), PointWorld, 5, 0, batch=2,
        progress=lambda done, total: seen.append((done, total)),
    )  # fmt: skip
    assert seen[-1] == (5, 5)
    assert seen == sorted(seen)


class Watcher(NoOpController):
    """Keeps what it was shown; does nothing."""

    def __init__(self, needs: Needs) -> None:
        super().__init__(PointWorld(2).spec)
        self.needs = needs

    def reset(self, goals: Goals, seeds: Sequence[int]) -> None:
        super().reset(goals, seeds)
        self.goals, self.seeds, self.seen = goals, list(seeds), []

    def act(self, seen: Seen) -> Decision:
        self.seen.append(seen)
        return super().act(seen)


def test_a_controller_sees_its_own_episode() -> None:
    watcher, task, world = Watcher(Needs(True, True)), Anywhere(3), PointWorld(2)
    evaluate(watcher, task, lambda: PointWorld(2), 2, seed=0, timed_episodes=0)
    for index, episode in enumerate(episodes_of(task, world, range(2), 0)):
        assert episode.start is not None
        for seen in watcher.seen:
            np.testing.assert_array_equal(seen.pixels[index], world.picture(episode.start))
            np.testing.assert_array_equal(seen.state[index], episode.start)
        np.testing.assert_array_equal(watcher.goals.pixels[index], world.picture(episode.goal))
        np.testing.assert_array_equal(watcher.goals.state[index], episode.goal)
        assert watcher.seeds[index] == episode.seed


def test_episodes_are_drawn_as_they_are_played() -> None:
    class Counted(FromTo):
        drawn: tuple[int, ...] = ()

        def episode(self, world: Any, seed: int, index: int) -> Episode:
            self.drawn += (index,)
            return super().episode(world, seed, index)

    task, when = Counted([0.0], [1.0], 5), {}

    def progress(done: int, total: int) -> None:
        when.setdefault(done, len(task.drawn))

    evaluate(Straight(PointWorld().spec), task, PointWorld, 7, 0, 3, 1, progress)
    assert task.drawn == tuple(range(7)) and when[0] == 1 and when[2] == 4 and when[7] == 7


def test_who_needs_no_pixels_pays_for_none() -> None:
    world = PointWorld(2)
    watcher = Watcher(Needs(pixels=False))
    evaluate(watcher, Anywhere(3), lambda: world, 1, seed=0)
    assert world.frames_drawn == 0
    assert watcher.seen == [Seen()] * 3 and watcher.goals == Goals()


def test_an_onlooker_is_told_of_every_tick() -> None:
    moments: list[Moment] = []
    task = FromTo([0.0], [1.0], 5)
    with closing(Arena(Straight(PointWorld().spec), task, PointWorld, moments.append)) as arena:
        arena.play(episodes_of(task, arena.world, range(2), 0))
    assert [moment.tick for moment in moments] == [0, 1, 2, 3, 4]
    for moment in moments:
        np.testing.assert_array_equal(moment.states, PACE * moment.tick * np.ones((2, 1)))
        np.testing.assert_array_equal(moment.after, moment.states + PACE)
        assert moment.frames is None


def test_every_world_is_closed() -> None:
    made: list[PointWorld] = []

    def make() -> PointWorld:
        made.append(PointWorld())
        return made[-1]

    evaluate(NoOpController(made_spec := PointWorld().spec), Anywhere(3), make, 5, 0, batch=3)
    elsewhere = Straight(dataclasses.replace(made_spec, world="plane"))
    with pytest.raises(SpecError):
        evaluate(elsewhere, Anywhere(3), make, 1, 0)
    assert len(made) == 4 and not any(world.is_open for world in made)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("world", "plane", "world = 'plane', got 'point' .*'straight'.*--world"),
        ("look", "night", "look = 'night', got 'plain' .*'straight'.*--look"),
        ("image_size", (9, 9), "image_size = 9x9, got 8x8 .*'straight'.*--image-size"),
        ("action_dim", 2, "action_dim = 2, got 1 .*'straight'.*the same body"),
        ("step_s", 0.2, "step_s = 0.2, got 0.1 .*'straight'.*the same time"),
    ],
)
def test_another_world_is_refused_in_words(field: str, value: Any, said: str) -> None:
    spec = PointWorld().spec
    controller = Straight(spec)
    controller.needs = Needs(True, True, dataclasses.replace(spec, **{field: value}))
    with pytest.raises(SpecError, match=said):
        require_fit(controller, "anywhere", spec)


def test_who_sees_no_frames_does_not_care_how_they_are_drawn() -> None:
    drawn_otherwise = PointWorld(look="night", side=9)
    require_fit(Straight(PointWorld().spec), "anywhere", drawn_otherwise.spec)
    with pytest.raises(SpecError, match="action_dim"):
        require_fit(Straight(PointWorld().spec), "anywhere", PointWorld(3, look="night").spec)


def test_a_policy_of_another_task_is_refused() -> None:
    only = Scripted(np.zeros((1, 1)), Needs(pixels=False, tasks=("race",)))
    with pytest.raises(UserError, match=r"'scripted' knows only the task of race, .*'from-to'"):
        play(only, FromTo([0.0], [1.0], 3))


@pytest.mark.parametrize(
    ("actions", "said"),
    [
        (np.zeros(1), r"actions \(1, 1\) from 'scripted' at step 0, got shape \(1,\)"),
        (np.zeros((1, 2)), r"actions \(1, 1\) from 'scripted' at step 0, got shape \(1, 2\)"),
        (np.full((1, 1), np.nan), r"\[-1, 1\] from 'scripted' at step 0, got nan"),
        (np.full((1, 1), 1.5), r"\[-1, 1\] from 'scripted' at step 0, got 1.5 to 1.5"),
        (np.full((1, 1), -np.inf), r"\[-1, 1\] from 'scripted' at step 0, got -inf"),
    ],
)
def test_what_is_no_action_is_refused_with_its_sender(actions: Any, said: str) -> None:
    with pytest.raises(UserError, match=said):
        play(Scripted(actions), FromTo([0.0], [1.0], 3))


@pytest.mark.parametrize("lost_at", [0, 4])
def test_a_state_that_is_no_number_is_not_judged(lost_at: int) -> None:
    class Lost(PointWorld):
        def state(self) -> Any:
            return super().state() if self._ticks < lost_at else np.array([-np.inf])

    with pytest.raises(WorldError, match=rf"world 'point', got x0 = -inf at tick {lost_at}"):
        evaluate(Scripted(np.ones((1, 1))), FromTo([0.0], [1.0], 9), Lost, 1, seed=0)


def test_a_frame_that_changes_its_size_is_not_shown() -> None:
    class Shrinks(PointWorld):
        def frame(self) -> Any:
            return super().frame()[: 8 if self._ticks < 2 else 5]

    watching = Scripted(np.ones((1, 1)), Needs(pixels=True))
    with pytest.raises(WorldError, match=r"of world 'point'.*got uint8 \(5, 8, 3\) at tick 2"):
        evaluate(watching, FromTo([0.0], [1.0], 9), Shrinks, 1, seed=0)


class Uneven(PointWorld):
    """Passes through as many moments in a tick as ticks have gone."""

    def trace(self) -> Any:
        return np.repeat(self.state()[None], self._ticks, 0)


def test_ticks_may_have_any_number_of_moments() -> None:
    task, spec = FromTo([-1.0], [1.0], 24), PointWorld().spec
    uneven = evaluate(Straight(spec), task, Uneven, 1, seed=0)
    assert verdicts(uneven) == [play(Straight(spec), task)]


class Broken(FromTo):
    """A user's task that gives what a test says."""

    def __init__(self, budget_steps: int = 5, **gives: Any) -> None:
        super().__init__([0.0], [1.0], budget_steps)
        self.gives = gives

    def episode(self, world: Any, seed: int, index: int) -> Any:
        return self.gives.get("episode", super().episode(world, seed, index))

    def judge(self, *about: Any) -> Any:
        return self.gives.get("verdict", super().judge(*about))


@pytest.mark.parametrize(
    ("task", "said"),
    [
        (Broken(0), "a budget of 1 step or more of task 'from-to', got 0"),
        (Broken(episode=None), "an Episode of task 'from-to', got None"),
        (Broken(episode=Episode(0, np.zeros(3))), r"a goal \(1,\) of task .*, got \(3,\)"),
        (Broken(episode=Episode(0, np.zeros(1), np.zeros(2))), r"a start \(1,\) .* \(2,\)"),
        (Broken(verdict=None), "a Verdict of task 'from-to', got None"),
    ],
)
def test_what_a_users_task_gives_is_checked(task: Any, said: str) -> None:
    with pytest.raises((UserError, WorldError), match=said):
        evaluate(Straight(PointWorld().spec), task, PointWorld, 1, seed=0)


def test_senseless_numbers_are_refused() -> None:
    idle = NoOpController(PointWorld().spec)
    with pytest.raises(UserError, match="batch >= 1"):
        evaluate(idle, Anywhere(3), PointWorld, 1, seed=0, batch=0)
    with pytest.raises(UserError, match="timed_episodes >= 0"):
        evaluate(idle, Anywhere(3), PointWorld, 1, seed=0, timed_episodes=-1)
    with pytest.raises(UserError, match="episodes >= 1"):
        evaluate(idle, Anywhere(3), PointWorld, 0, seed=0)
    with pytest.raises(WorldError, match="seed >= 0"):
        evaluate(idle, Anywhere(3), PointWorld, 1, seed=-1)


@pytest.mark.parametrize(("ends_at", "said"), [(3, "after 0.30 s"), (5, None), (0, None)])
def test_an_episode_that_the_world_ended_early_is_told_as_that(
    ends_at: int, said: str | None
) -> None:
    spec, episode = PointWorld().spec, Episode(0, np.ones(1), np.zeros(1))
    steered = steer(Straight(spec), lambda: PointWorld(ends_at=ends_at), episode, 5)
    told = outcome(steered, episode, spec, None, Mock())
    assert told.get("the world ended it") == said
