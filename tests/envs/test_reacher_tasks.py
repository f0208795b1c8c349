"""Reacher's tasks: literal episodes of record, recordings that are clocks, dm_control's reward."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import numpy as np
import pytest

from agent.data.worker import episode_rng
from agent.evaluation.play import Arena, Moment, evaluate
from agent.rivals.constant import NoOpController
from agent.rivals.reacher.computed_torque import ComputedTorqueController
from envs import (
    Episode,
    RollOut,
    Verdict,
    World,
    WorldError,
    episodes_of,
    make_world,
    task_named,
    tasks_of,
)
from envs.reacher import REACH_M, angle_error_rad, fingertip_m
from envs.reacher import tasks as reacher_tasks
from envs.reacher.tasks import TASKS

Array = np.ndarray
FAR = 1.0
RECORDED = [  # name, which one, start, goal pose, controller's seed, budget: at seed 2000
    (
        "lewm",
        0,
        (-1.134242564, 1.514790843, 2.002440615, 1.223044046),
        (-1.266582411, 1.822846866),
        1250872961,
        50,
    ),
    (
        "lewm",
        1,
        (2.03324874, 1.805564569, 1.630776004, -0.507040872),
        (2.100091541, 2.139171997),
        1284261072,
        50,
    ),
    (
        "lewm-rest",
        0,
        (-1.134242564, 1.514790843, 0.0, 0.0),
        (-1.266582411, 1.822846866),
        1250872961,
        50,
    ),
    (
        "swift",
        0,
        (-5.828083705, 2.327646595, 1.4471686, -3.225827521),
        (-6.662508397, -0.03108704),
        3038734571,
        50,
    ),
    (
        "anywhere",
        0,
        (0.022311637, 1.176502786, 0.0, 0.0),
        (-1.192899075, -2.309248831),
        410672047,
        100,
    ),
    (
        "dmc-easy",
        0,
        (-2.313941672, -1.512181102, 0.0, 0.0),
        (3.268855664, -1.684210673),
        2494267181,
        500,
    ),
    (
        "lewm-t75-b2t-rest",
        0,
        (-1.403510952, 1.555453101, 0.0, 0.0),
        (-2.167964753, 1.470586668),
        1250872961,
        150,
    ),
]


@pytest.fixture(scope="module")
def world() -> Any:
    made = make_world("reacher")
    yield made
    made.close()


@pytest.mark.parametrize(("name", "which", "start", "goal", "own_seed", "budget"), RECORDED)
def test_episodes_are_those_of_record(
    world: World, name: str, which: int, start: Any, goal: Any, own_seed: int, budget: int
) -> None:
    task = task_named(name, world)
    episode = task.episode(world, 2000, which)
    np.testing.assert_allclose(episode.start, start, rtol=0, atol=2e-9)
    np.testing.assert_allclose(episode.goal, [*goal, 0.0, 0.0], rtol=0, atol=2e-9)
    assert (episode.seed, task.budget_steps) == (own_seed, budget)


def clock(world: Any, behaviour: Any, rng: np.random.Generator, ticks: int) -> RollOut:
    """A recording whose angles count its ticks, and whose speeds are half a tick ahead."""
    times = np.arange(ticks + 1.0)[:, None] * np.ones(2)
    return RollOut(np.zeros((ticks, 2), np.float32), np.hstack([times, times + 0.5]))


@pytest.mark.parametrize(
    ("name", "offset", "budget", "at_rest"),
    [
        ("lewm", 25, 50, False),
        ("lewm-rest", 25, 50, True),
        ("swift", 25, 50, False),
        ("lewm-t50-b50", 50, 50, False),
        ("lewm-t100-b2t-rest", 100, 200, True),
    ],
)
def test_goal_is_so_many_steps_after_the_start_in_a_recording(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    offset: int,
    budget: int,
    at_rest: bool,
) -> None:
    monkeypatch.setattr(reacher_tasks, "roll_out", clock)
    assert TASKS[name].budget_steps == budget
    starts = []
    for episode in episodes_of(TASKS[name], world, range(1500), 3):
        pose, speed = episode.start[:2], episode.start[2:]
        starts.append(pose[0])
        np.testing.assert_array_equal(episode.goal, [*(pose + offset), 0.0, 0.0])
        np.testing.assert_array_equal(speed, 0.0 if at_rest else pose + 0.5)
    assert set(starts) == set(range(200 - offset + 1))


def test_recordings_come_from_streams_no_data_set_uses(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    states = []

    def note(world: Any, behaviour: Any, rng: np.random.Generator, ticks: int) -> RollOut:
        states.append(str(rng.bit_generator.state))
        return clock(world, behaviour, rng, ticks)

    monkeypatch.setattr(reacher_tasks, "roll_out", note)
    episodes_of(TASKS["lewm"], world, range(30), 0)
    episodes_of(TASKS["swift"], world, range(30), 0)
    training = {str(episode_rng(0, e).bit_generator.state) for e in range(200)}
    assert len(set(states)) == 60
    assert training.isdisjoint(states)


def same(one: Episode, other: Episode) -> bool:
    equal = np.array_equal(one.start, other.start) and np.array_equal(one.goal, other.goal)
    return equal and one.seed == other.seed


@pytest.mark.parametrize("name", ["lewm", "swift", "anywhere", "dmc-hard"])
def test_an_episode_depends_on_task_seed_and_number_alone(world: World, name: str) -> None:
    few, many = (episodes_of(TASKS[name], world, range(n), 7) for n in (2, 4))
    assert all(same(a, b) for a, b in zip(few, many, strict=False))
    assert not same(many[0], many[1])
    assert not same(many[0], TASKS[name].episode(world, 8, 0))


def test_lewm_tasks_are_as_hard_as_published(world: World) -> None:
    episodes = episodes_of(TASKS["lewm"], world, range(250), 0)
    larger = [np.abs(e.goal - e.start)[:2].max() for e in episodes]
    assert 0.5 < np.median(larger) < 0.66  # published 0.57
    assert np.mean(np.less(larger, 0.05)) < 0.03  # published 0.6 %


def test_swift_is_as_fast_as_it_says(world: World) -> None:
    episodes = episodes_of(TASKS["swift"], world, range(250), 5)
    speeds = np.stack([e.start[2:] for e in episodes])
    assert np.sqrt(np.mean(speeds**2)) == pytest.approx(2.6, abs=0.15)
    raw = np.array([np.abs(e.goal - e.start)[:2].max() for e in episodes])
    assert 0.05 < np.mean(raw > np.pi) < 0.2  # hence modulo 2π


def judged(world: World, name: str, path: Array, start: float = FAR) -> Verdict:
    """Of a path of poses (T, 2, 2) from a pose of twice ``start`` to the pose of zeros."""
    states = np.concatenate([path, np.zeros_like(path)], -1)
    first = np.array([start, start, 0.0, 0.0])
    return TASKS[name].judge(world.spec, states, first, Episode(0, np.zeros(4), first))


def poses(*inside: tuple[int, int]) -> Array:
    """(50, 2, 2), near the goal at the given (env step, physics step) and far else."""
    angles = np.full((50, 2, 2), FAR)
    for index in inside:
        angles[index] = 0.04
    return angles


def test_a_touch_between_two_ticks_counts(world: World) -> None:
    found = judged(world, "lewm", poses((6, 0)))
    assert found == Verdict(0, False, True, False, 7, FAR, "rad")


def test_both_joints_must_be_inside_at_once(world: World) -> None:
    angles = poses()
    angles[3, 0, 0] = angles[4, 0, 1] = 0.0
    found = judged(world, "lewm", angles)
    assert (found.first_touch, found.steps_to_success) == (False, None)


def test_held_means_every_physics_step_of_the_last_0_4_s(world: World) -> None:
    last = [(step, physics) for step in range(40, 50) for physics in (0, 1)]
    assert judged(world, "lewm", poses(*last)).held
    for missing in (last[0], last[7], last[-1]):
        assert not judged(world, "lewm", poses(*(i for i in last if i != missing))).held


@pytest.mark.parametrize("turns", [-1, 1, 2])
def test_a_full_turn_misses_under_the_raw_rule_only(world: World, turns: int) -> None:
    turned = poses((6, 1)) + 2 * np.pi * turns
    raw, wrapped = (judged(world, name, turned) for name in ("lewm", "swift"))
    assert (raw.first_touch, wrapped.steps_to_success) == (False, 7)
    assert raw.final_error == pytest.approx(abs(FAR + 2 * np.pi * turns))
    assert wrapped.final_error == pytest.approx(FAR)


def test_solved_at_the_start_is_told(world: World) -> None:
    found = judged(world, "lewm", poses(), start=0.049)
    assert (found.solved_at_start, found.steps_to_success, found.held) == (True, 0, False)
    assert not judged(world, "lewm", poses(), start=0.051).solved_at_start


def test_either_elbow_pays(world: World) -> None:
    shoulder, wrist = 0.4, 1.0
    episode = Episode(0, np.array([shoulder, wrist, 0.0, 0.0]), np.zeros(4))
    path = np.zeros((500, 2, 4))
    path[100:, :, :2] = (shoulder + wrist, -wrist)  # the other way to bend
    found = TASKS["dmc-hard"].judge(world.spec, path, np.zeros(4), episode)
    assert (found.episode_return, found.steps_to_success, found.held) == (800.0, 101, True)
    assert found.final_error > 1.0  # of the joints, told as it is
    assert judged(world, "lewm", poses()).episode_return is None


def test_the_reach_is_a_distance_of_the_fingertip(world: World) -> None:
    goal, nearly = np.array([0.4, 1.0, 0.0, 0.0]), np.array([0.6, 1.0, 0.0, 0.0])
    away_m = float(np.linalg.norm(fingertip_m(nearly[:2]) - fingertip_m(goal[:2])))
    assert REACH_M["hard"] < away_m < REACH_M["easy"]
    path = np.tile(nearly, (500, 2, 1))
    easy, hard = (
        TASKS[f"dmc-{task}"].judge(world.spec, path, nearly, Episode(0, goal, nearly))
        for task in ("easy", "hard")
    )
    assert (easy.episode_return, hard.episode_return) == (1000.0, 0.0)
    assert (easy.solved_at_start, hard.solved_at_start) == (True, False)


def test_easy_and_hard_are_the_same_episodes(world: World) -> None:
    easy, hard = (episodes_of(TASKS[f"dmc-{task}"], world, range(30), 5) for task in REACH_M)
    assert all(same(one, other) for one, other in zip(easy, hard, strict=True))
    distances = [np.linalg.norm(fingertip_m(episode.goal[:2])) for episode in easy]
    assert 0.05 <= min(distances) < max(distances) <= 0.2
    assert not any(episode.start[2:].any() for episode in easy)


@pytest.mark.parametrize("name", ["easy", "hard"])
def test_the_return_is_the_one_dm_control_pays(name: str) -> None:
    torques: list[Array] = []

    def watch(moment: Moment) -> None:
        torques.append(moment.decision.actions[0])

    task, controller = TASKS[f"dmc-{name}"], ComputedTorqueController()
    with closing(Arena(controller, task, lambda: make_world("reacher"), watch)) as arena:
        episode = task.episode(arena.world, 5, 0)
        (trial,) = arena.play([episode])
    from dm_control import suite  # only now, when OpenGL has been chosen

    theirs = suite.load("reacher", name)
    theirs.reset()
    with theirs.physics.reset_context():
        theirs.physics.data.qpos[:] = episode.start[:2]
        theirs.physics.data.qvel[:] = 0.0
    theirs.physics.named.model.geom_pos["target", :2] = fingertip_m(episode.goal[:2])
    steps = [theirs.step(torque) for torque in torques for _ in range(2)]
    assert steps[-1].last()
    assert trial.verdict.episode_return == sum(step.reward for step in steps)
    assert trial.verdict.episode_return > 900
    assert trial.verdict.held


def test_idling_is_paid_only_where_the_arm_starts_on_the_target(world: World) -> None:
    trials = evaluate(
        NoOpController(world.spec), TASKS["dmc-easy"], lambda: make_world("reacher"), 12, 77, 12
    )
    for verdict in (trial.verdict for trial in trials):
        assert verdict.episode_return == (1000.0 if verdict.solved_at_start else 0.0)


def test_no_op_scores_zero_anywhere(world: World) -> None:
    trials = evaluate(
        NoOpController(world.spec), TASKS["anywhere"], lambda: make_world("reacher"), 40, 0, 10
    )
    counted = [t.verdict for t in trials if not t.verdict.solved_at_start]
    assert len(counted) > 35
    assert not any(verdict.first_touch or verdict.held for verdict in counted)


def test_turned_angles_are_the_same_pose() -> None:
    np.testing.assert_allclose(
        angle_error_rad(np.array([0.3 + 2 * np.pi, 1.01]), np.array([0.3, 1.0])),
        [0.0, 0.01],
        atol=1e-12,
    )


def test_an_unknown_task_names_the_nearest(world: World) -> None:
    with pytest.raises(WorldError, match="did you mean 'lewm-t50-b2t'"):
        task_named("lewm-t50-2t", world)
    with pytest.raises(WorldError, match="did you mean 'anywhere'"):
        task_named("anywhre", world)
    assert all(TASKS[name].name == name for name in TASKS)
    assert set(TASKS) < set(tasks_of(world))


def test_each_task_says_what_it_asks() -> None:
    said = [TASKS[name].about for name in TASKS]
    assert all(f"{TASKS[name].budget_steps} steps" in TASKS[name].about for name in TASKS)
    assert len(set(said)) == len(TASKS) - 4  # t25-b50 and t25-b2t are lewm itself; so at rest


@pytest.mark.parametrize(("count", "seed"), [(0, 0), (3, -1)])
def test_senseless_numbers_are_refused(world: World, count: int, seed: int) -> None:
    with pytest.raises(WorldError, match="episodes >= 1"):
        episodes_of(TASKS["lewm"], world, range(count), seed)
