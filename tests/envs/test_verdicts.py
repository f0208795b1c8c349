"""Verdicts by a world's own tolerances: at the edge, round a turn, of points, cut short."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from envs import Column, Episode, SpecError, Verdict, WorldSpec, judge_by_tolerance

TURN = 2 * np.pi


def spec(*columns: Column) -> WorldSpec:
    return WorldSpec("judged", "plain", (8, 8), 1, 0.1, columns)


def judge(world: WorldSpec, path: Any, goal: Any, start: Any = None) -> Verdict:
    goal = np.array(goal, float)
    begun = np.full(goal.shape, 1.5) if start is None else np.array(start, float)
    states = np.array(path, float).reshape(-1, 1, len(goal))
    return judge_by_tolerance(world, states, begun, Episode(9, goal, begun))


@pytest.mark.parametrize("side", [-1, 1])
def test_exactly_the_tolerance_away_is_outside(side: int) -> None:
    line = spec(Column("x", "m", tolerance=0.25))
    edge, inside = judge(line, [side * 0.25], [0.0]), judge(line, [side * 0.2499], [0.0])
    assert (edge.first_touch, inside.first_touch) == (False, True)
    assert (edge.final_error, edge.unit) == (0.25, "m")


@pytest.mark.parametrize(("goal", "at"), [(np.pi - 0.04, -np.pi + 0.04), (-3.1, 3.12)])
@pytest.mark.parametrize("turns", [-2, 0, 3])
def test_an_angle_is_near_across_the_seam(goal: float, at: float, turns: int) -> None:
    circle = spec(Column("angle", "rad", TURN, tolerance=0.1))
    found = judge(circle, [at + turns * TURN], [goal])
    assert found.first_touch
    assert found.final_error == pytest.approx((at - goal) % TURN if at < goal else goal - at + TURN)
    line = spec(Column("angle", "rad", tolerance=0.1))
    assert not judge(line, [at + turns * TURN], [goal]).first_touch


def test_half_a_turn_is_the_farthest() -> None:
    circle = spec(Column("angle", "rad", TURN, tolerance=0.1))
    assert judge(circle, [np.pi], [0.0]).final_error == pytest.approx(np.pi)
    assert judge(circle, [np.pi + 0.3], [0.0]).final_error == pytest.approx(np.pi - 0.3)


def test_a_point_is_near_by_the_length_of_its_offset() -> None:
    plane = spec(
        Column("x", "m", tolerance=1.0, point="p"), Column("y", "m", tolerance=1.0, point="p")
    )
    assert judge(plane, [0.6, 0.79], [0.0, 0.0]).first_touch
    assert not judge(plane, [0.9, 0.9], [0.0, 0.0]).first_touch
    assert judge(plane, [3.0, 4.0], [0.0, 0.0]).final_error == 5.0


def test_what_has_no_tolerance_does_not_count() -> None:
    world = spec(Column("x", "m", tolerance=0.25), Column("speed", "m/s"))
    found = judge(world, [0.0, 77.0], [0.0, 0.0])
    assert (found.first_touch, found.final_error, found.unit) == (True, 0.0, "m")


def test_different_units_are_told_in_tolerances() -> None:
    world = spec(Column("x", "m", tolerance=0.5), Column("angle", "rad", TURN, tolerance=0.1))
    found = judge(world, [1.0, 0.3], [0.0, 0.0])
    assert found.unit == "tolerances"
    assert found.final_error == pytest.approx(3.0)


def test_a_moment_within_a_tick_counts() -> None:
    line, goal = spec(Column("x", tolerance=0.25)), np.zeros(1)
    path = np.array([[[1.0], [1.0]], [[0.0], [1.0]], [[1.0], [1.0]]])  # (T, R, S)
    found = judge_by_tolerance(line, path, np.ones(1), Episode(0, goal))
    assert (found.first_touch, found.steps_to_success, found.held) == (True, 2, False)


@pytest.mark.parametrize(("ticks", "held"), [(1, True), (3, True), (4, True), (6, False)])
def test_what_the_world_cut_short_is_judged_to_its_own_end(ticks: int, held: bool) -> None:
    line = spec(Column("x", tolerance=0.25))  # 0.4 s are four ticks
    path = [0.0] * ticks if held else [0.0, 0.0, 0.0, 1.0, 0.0, 0.0]
    assert judge(line, path, [0.0]).held is held


def test_nothing_played_is_judged_by_the_start() -> None:
    line = spec(Column("x", tolerance=0.25))
    found = judge(line, [], [0.0], start=[0.1])
    assert (found.solved_at_start, found.first_touch, found.held) == (True, True, False)
    assert found.final_error == pytest.approx(0.1)


def test_a_world_whose_state_says_nothing_cannot_judge() -> None:
    with pytest.raises(SpecError, match="say how near is near"):
        judge(spec(Column("x")), [0.0], [0.0])
