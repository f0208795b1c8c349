"""Goals of bodies that fly and fall."""

from contextlib import closing

import numpy as np
import pytest

from agent.commands.steering import left_alone
from agent.rivals.state_code import StateCode
from envs import Column, Posable, WorldSpec, distance_to_goal, make_world
from envs.goals import QUATERNION


@pytest.mark.parametrize("turn_rad", [0.0, 0.04, 0.06, np.pi])
def test_a_body_in_the_air_is_judged_by_its_turn_as_well(turn_rad: float) -> None:
    """Quaternions θ apart have a chord of 2·sin(θ/4), and q is the turn that -q is."""
    columns = tuple(
        Column(f"root_{part}", QUATERNION, tolerance=0.025, point="root_turn") for part in "wxyz"
    )
    spec = WorldSpec("recorded:bird", "drawn", (16, 16), 1, 0.1, columns)
    axis = np.array([0.6, 0.0, 0.8])
    turned = np.concatenate([[np.cos(turn_rad / 2)], np.sin(turn_rad / 2) * axis])
    goal = np.array([1.0, 0, 0, 0])
    for same in (turned, -turned):
        far = distance_to_goal(spec, same, goal)
        assert far == pytest.approx(2 * np.sin(turn_rad / 4) / 0.025, abs=1e-9)
        assert bool(far < 1) == (turn_rad < 0.05)


def test_a_policy_reads_one_of_two_equal_turns() -> None:
    columns = tuple(
        Column(f"root_{part}", QUATERNION, tolerance=0.025, point="root_turn") for part in "wxyz"
    )
    spec = WorldSpec("recorded:bird", "drawn", (16, 16), 1, 0.1, columns)
    code, turn = StateCode(spec), np.array([[-0.6, 0.0, 0.8, 0.0], [0.6, 0.0, -0.8, 0.0]])
    assert np.array_equal(*code.observation(turn)) and np.array_equal(*code.goal(turn))
    assert code.distance(*code.goal(turn)) == 0


def test_a_pose_that_falls_is_told_and_one_that_stands_is_not() -> None:
    for name, stands in (("dmc:point_mass-easy", True), ("dmc:hopper-hop", False)):
        with closing(make_world(name)) as world:
            assert isinstance(world, Posable)
            goal = world.sample_state(np.random.default_rng(0))
            assert (left_alone(world, goal) == {}) is stands
            assert left_alone(world, np.full(len(goal), np.nan)) == {}
