"""Known controllers have known scores; known paths have known verdicts."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from agent.baselines.computed_torque import ComputedTorqueController
from agent.baselines.constant import NoOpController, RandomController
from agent.errors import UserError
from agent.evaluation import episodes
from agent.evaluation.episodes import evaluate
from agent.evaluation.protocols import EpisodeSpec, protocol_named
from agent.evaluation.verdict import HELD_STEPS, judge
from agent.interfaces import Array, EpisodeResult, GoalObservation
from envs import ReacherSimulator, Renderer

FAR = 1.0


def spec(start_rad: float = FAR) -> EpisodeSpec:
    return EpisodeSpec(0, np.full(2, start_rad), np.zeros(2), np.zeros(2))


def path(*inside: tuple[int, int]) -> Array:
    """A lewm path (50, 2, 2) at the goal in the given (env step, physics step) and far else."""
    angles = np.full((50, 2, 2), FAR)
    for index in inside:
        angles[index] = 0.04
    return angles


def test_a_touch_between_two_ticks_counts() -> None:
    result = judge(protocol_named("lewm"), spec(), path((6, 0)))
    assert (result.first_touch, result.steps_to_success, result.held) == (True, 7, False)
    assert result.final_error_rad == FAR


def test_both_joints_must_be_inside_at_once() -> None:
    angles = path()
    angles[3, 0, 0] = angles[4, 0, 1] = 0.0
    result = judge(protocol_named("lewm"), spec(), angles)
    assert (result.first_touch, result.steps_to_success) == (False, None)


def test_held_means_every_physics_step_of_the_last_0_4_s() -> None:
    assert HELD_STEPS == 10
    protocol = protocol_named("lewm")
    last = [(step, physics) for step in range(40, 50) for physics in (0, 1)]
    assert judge(protocol, spec(), path(*last)).held
    for missing in (last[0], last[7], last[-1]):
        assert not judge(protocol, spec(), path(*(i for i in last if i != missing))).held


def test_a_full_turn_misses_under_the_raw_rule_only() -> None:
    turned = path((6, 1)) + 2 * np.pi
    assert not judge(protocol_named("lewm"), spec(), turned).first_touch
    wrapped = dataclasses.replace(protocol_named("lewm"), wrapped=True)
    assert judge(wrapped, spec(), turned).steps_to_success == 7


def test_solved_at_the_start_is_told() -> None:
    result = judge(protocol_named("lewm"), spec(start_rad=0.049), path())
    assert (result.solved_at_start, result.steps_to_success, result.held) == (True, 0, False)


def test_no_op_scores_zero_anywhere() -> None:
    results = evaluate(NoOpController(), protocol_named("anywhere"), 40, seed=0, batch=10)
    counted = [result for result in results if not result.solved_at_start]
    assert len(counted) > 35
    assert not any(result.first_touch or result.held for result in counted)


@pytest.mark.parametrize("controller", [RandomController(), ComputedTorqueController()])
def test_batch_size_changes_nothing(controller: Any) -> None:
    def play(batch: int, timed: int) -> list[EpisodeResult]:
        results = evaluate(controller, protocol_named("lewm"), 7, 3, "fast", batch, timed)
        return [dataclasses.replace(result, decision_ms=()) for result in results]

    assert play(1, 0) == play(5, 2) == play(3, 7)


def test_only_the_first_episodes_are_timed() -> None:
    protocol = protocol_named("lewm")
    results = evaluate(NoOpController(), protocol, 4, seed=0, batch=2, timed_episodes=1)
    assert [len(result.decision_ms) for result in results] == [protocol.budget_steps, 0, 0, 0]


def test_progress_ends_at_the_total() -> None:
    seen: list[tuple[int, int]] = []
    evaluate(
        NoOpController(), protocol_named("lewm"), 5, 0, batch=2,
        progress=lambda done, total: seen.append((done, total)),
    )  # fmt: skip
    assert seen[-1] == (5, 5)
    assert seen == sorted(seen)


class Watcher(NoOpController):
    """Keeps what it saw; does nothing."""

    needs_pixels = True
    render_profile = "fast"
    image_size = 32

    def __init__(self) -> None:
        self.first: list[GoalObservation] = []
        self.last: list[GoalObservation] = []

    def reset(self, observations: Sequence[GoalObservation], seeds: Sequence[int]) -> None:
        self.first = list(observations)
        self.seeds = list(seeds)

    def act(self, observations: Sequence[GoalObservation]) -> Array:
        self.last = list(observations)
        return super().act(observations)


def test_a_controller_sees_its_own_episode() -> None:
    watcher, protocol = Watcher(), protocol_named("lewm")
    evaluate(watcher, protocol, 2, seed=0, timed_episodes=0)
    simulator = ReacherSimulator()
    with Renderer(simulator, "fast", 32) as renderer:
        for index, task in enumerate(protocol.episodes(2, seed=0)):
            simulator.reset(task.start_qpos_rad, task.start_qvel_rad_s)
            first, last = watcher.first[index], watcher.last[index]
            np.testing.assert_array_equal(first.pixels, renderer.render())
            np.testing.assert_array_equal(
                first.state, [*task.start_qpos_rad, *task.start_qvel_rad_s]
            )
            np.testing.assert_array_equal(first.goal_state, [*task.goal_qpos_rad, 0.0, 0.0])
            for _ in range(protocol.budget_steps - 1):
                simulator.step((0.0, 0.0))
            np.testing.assert_array_equal(last.pixels, renderer.render())
            np.testing.assert_array_equal(last.state[:2], simulator.qpos_rad)
            goal = renderer.render_pose(task.goal_qpos_rad)
            np.testing.assert_array_equal(last.goal_pixels, goal)
            assert watcher.seeds[index] == task.seed


def test_who_needs_no_pixels_pays_for_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("rendered for nobody")

    monkeypatch.setattr(episodes, "Renderer", refuse)
    evaluate(NoOpController(), protocol_named("lewm"), 1, seed=0)


def test_another_world_is_refused() -> None:
    with pytest.raises(UserError, match=r"'fast'.*'dmc'"):
        evaluate(Watcher(), protocol_named("lewm"), 1, seed=0, render_profile="dmc")
    slow = NoOpController()
    slow.action_repeat = 4  # type: ignore[attr-defined]
    with pytest.raises(UserError, match="action_repeat 4"):
        evaluate(slow, protocol_named("lewm"), 1, seed=0)


@pytest.mark.parametrize(
    ("torques", "named"),
    [
        (np.array([[np.nan, 0.0]]), "nan"),
        (np.array([[0.0, 1.5]]), "1.5 at step 0"),
        (np.zeros(2), r"shape \(2,\)"),
    ],
)
def test_bad_torques_are_refused(
    monkeypatch: pytest.MonkeyPatch, torques: Array, named: str
) -> None:
    monkeypatch.setattr(NoOpController, "act", lambda *_: torques)
    with pytest.raises(UserError, match=named):
        evaluate(NoOpController(), protocol_named("lewm"), 1, seed=0)


def test_senseless_batches_are_refused() -> None:
    with pytest.raises(UserError, match="batch >= 1"):
        evaluate(NoOpController(), protocol_named("lewm"), 1, seed=0, batch=0)
