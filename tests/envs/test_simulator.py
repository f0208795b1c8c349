"""The oracle is dm_control itself: same torques, same bits."""

from contextlib import closing

import numpy as np
import pytest

from envs import PoseError, WorldError, make_world
from envs.reacher import ACTION_REPEAT, PHYSICS_DT_S, WRIST_LIMIT_RAD, ReacherSimulator, sample_pose


def test_states_are_bit_equal_to_the_suite() -> None:
    simulator = ReacherSimulator(action_repeat=1)
    from dm_control import suite

    theirs = suite.load("reacher", "easy", task_kwargs={"random": 3})
    rng = np.random.default_rng(0)
    for _ in range(3):
        theirs.reset()
        simulator.reset(theirs.physics.data.qpos)
        held = rng.uniform(-1.5, 1.5, 2)  # beyond the box too: both clip
        for step in range(300):  # long enough to run into the wrist's limit
            torque = held if step % 50 < 25 else rng.uniform(-1.0, 1.0, 2)
            theirs.step(torque)
            path = simulator.step(torque)
            assert path[-1].tobytes() == theirs.physics.data.qpos.tobytes()
            assert simulator.qvel_rad_s.tobytes() == theirs.physics.data.qvel.tobytes()


def test_an_env_step_is_two_physics_steps_with_one_torque() -> None:
    coarse, fine = ReacherSimulator(), ReacherSimulator(action_repeat=1)
    for simulator in (coarse, fine):
        simulator.reset((0.1, -0.7), (3.0, -2.0))
    path = coarse.step((0.5, -0.25))
    singles = [fine.step((0.5, -0.25))[0] for _ in range(ACTION_REPEAT)]
    np.testing.assert_array_equal(path, singles)
    assert fine.physics.model.opt.timestep == PHYSICS_DT_S


def test_a_reset_forgets_the_past() -> None:
    fresh, used = ReacherSimulator(), ReacherSimulator()
    used.reset((2.0, 2.7), (9.0, 9.0))
    for _ in range(50):
        used.step((1.0, 1.0))
    for simulator in (fresh, used):
        simulator.reset((0.3, 2.75), (0.0, 4.0))
    for _ in range(50):
        assert fresh.step((0.2, 0.9)).tobytes() == used.step((0.2, 0.9)).tobytes()


def test_the_shoulder_winds_and_the_wrist_stops() -> None:
    simulator = ReacherSimulator()
    simulator.reset((0.0, 0.0))
    for _ in range(100):
        simulator.step((1.0, 1.0))
    assert simulator.qpos_rad[0] > 2.0 * np.pi
    assert abs(simulator.qpos_rad[1]) < WRIST_LIMIT_RAD + 0.2


def test_torques_are_clipped() -> None:
    inside, outside = ReacherSimulator(), ReacherSimulator()
    for simulator in (inside, outside):
        simulator.reset((0.0, 0.5))
    np.testing.assert_array_equal(inside.step((1.0, -1.0)), outside.step((7.0, -np.float64(3))))


def test_rolled_plans_are_bit_equal_to_stepped_ones() -> None:
    simulator, rng = ReacherSimulator(), np.random.default_rng(4)
    states = np.hstack([rng.uniform(-2.7, 2.7, (30, 2)), rng.normal(0.0, 4.0, (30, 2))])
    torques = rng.uniform(-1.5, 1.5, (30, 20, 2))  # beyond the box too
    torques[:10, :, 1] = 1.0  # long enough to run into the wrist's limit
    rolled = simulator.roll(states, torques)
    assert rolled.shape == (30, 20, 4)
    assert rolled[..., 1].max() > WRIST_LIMIT_RAD
    for state, plan, path in zip(states, torques, rolled, strict=True):
        simulator.reset(state[:2], state[2:])
        for torque, after in zip(plan, path, strict=True):
            assert simulator.step(torque)[-1].tobytes() == after[:2].tobytes()
            assert simulator.qvel_rad_s.tobytes() == after[2:].tobytes()


def test_rolling_plans_does_not_move_the_arm() -> None:
    left_alone, rolling = ReacherSimulator(), ReacherSimulator()
    for simulator in (left_alone, rolling):
        simulator.reset((0.3, 2.75), (0.0, 4.0))
    for _ in range(10):
        rolling.roll(np.full((3, 4), 2.7), np.ones((3, 5, 2)))
        assert left_alone.step((0.2, 0.9)).tobytes() == rolling.step((0.2, 0.9)).tobytes()


@pytest.mark.parametrize(("state", "torque"), [(np.nan, 0.0), (0.0, np.inf)])
def test_what_is_not_finite_is_not_rolled(state: float, torque: float) -> None:
    with pytest.raises(ValueError, match="expected finite states and torques"):
        ReacherSimulator().roll(np.full((1, 4), state), np.full((1, 2, 2), torque))


def test_the_fingertip_is_at_the_end_of_both_links() -> None:
    simulator = ReacherSimulator()
    rng = np.random.default_rng(1)
    for _ in range(20):
        shoulder, wrist = pose = sample_pose(rng)
        simulator.reset(pose)
        both = shoulder + wrist
        expected = 0.12 * np.array(
            [np.cos(shoulder) + np.cos(both), np.sin(shoulder) + np.sin(both)]
        )
        found = simulator.physics.named.data.geom_xpos["finger", :2]
        np.testing.assert_allclose(found, expected, atol=1e-12)


def test_what_it_returns_is_a_copy() -> None:
    simulator = ReacherSimulator()
    simulator.reset((0.1, 0.2))
    for values in (simulator.qpos_rad, simulator.qvel_rad_s):
        values += 1.0
    np.testing.assert_array_equal(simulator.qpos_rad, (0.1, 0.2))
    np.testing.assert_array_equal(simulator.qvel_rad_s, (0.0, 0.0))


@pytest.mark.parametrize("torque", [(np.nan, 0.0), (np.inf, 0.0), (0.0,), 0.5, "ab", None])
def test_a_bad_torque_is_an_error_and_moves_nothing(torque: object) -> None:
    simulator = ReacherSimulator()
    simulator.reset((0.1, 0.2), (1.0, 1.0))
    with pytest.raises(ValueError, match="expected torque to be two finite numbers"):
        simulator.step(torque)  # type: ignore[arg-type]
    np.testing.assert_array_equal(simulator.qpos_rad, (0.1, 0.2))


def test_a_bad_state_or_repeat_is_an_error() -> None:
    simulator = ReacherSimulator()
    with pytest.raises(PoseError, match="qpos_rad"):
        simulator.reset((np.nan, 0.0))
    with pytest.raises(PoseError, match="qvel_rad_s"):
        simulator.reset((0.0, 0.0), (0.0, 0.0, 0.0))
    with pytest.raises(ValueError, match="action_repeat of at least 1, got 0"):
        ReacherSimulator(action_repeat=0)


@pytest.mark.parametrize("name", ["reacher", "dmc:cartpole-swingup"])
def test_numbers_too_large_to_simulate_are_refused_in_our_words(name: str) -> None:
    with closing(make_world(name)) as world:
        rng, still = np.random.default_rng(0), np.zeros(len(world.spec.state))
        for first in (1e11, 1e308, np.nan):
            with pytest.raises(PoseError):
                world.reset(rng, np.array([first, *still[1:]]))
        thrown = still.copy()
        thrown[len(still) // 2 :] = 1e6
        with pytest.raises(WorldError, match=f"simulation of {name} broke down"):
            world.reset(rng, thrown)
            for _ in range(50):
                world.step(np.ones(world.spec.action_dim))
