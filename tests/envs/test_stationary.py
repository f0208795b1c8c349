"""The behaviour ``gaussian``: the arm does what the process says, and the process is Gaussian."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from agent.data import episode_rng
from envs import behaviour_named, make_world, roll_out
from envs.reacher import ReacherSimulator
from envs.reacher.stationary import PROCESS, StationaryProcess, torque_to_reach

EPISODES, STEPS = 60, 150


@pytest.fixture(scope="module")
def rollouts():
    world = make_world("reacher")
    behaviour = behaviour_named("gaussian", world)
    return [roll_out(world, behaviour, episode_rng(5, e), STEPS) for e in range(EPISODES)]


@pytest.fixture(scope="module")
def angles(rollouts):
    return np.stack([rollout.states[:, :2] for rollout in rollouts])  # (episodes, steps + 1, joint)


def autocorrelation(process: StationaryProcess, ticks: int) -> float:
    """Of the angle with itself ``ticks`` later."""
    response = process._angle_response
    return float((response[ticks:] * response[: len(response) - ticks]).sum() / (response**2).sum())


def test_the_process_has_the_variance_it_was_asked_for():
    process = StationaryProcess(0.7, 0.3, 0.04)
    rng = np.random.default_rng(0)
    q, v = (
        0.7 * rng.standard_normal(20_000),
        process.velocity_std_rad_s * rng.standard_normal(20_000),
    )
    first = q
    for _ in range(20):
        following = process.next_velocity(q, v, rng.standard_normal(20_000))
        q, v = q + 0.02 * (v + following), following
    assert q.std() == pytest.approx(0.7, rel=0.02)
    assert v.std() == pytest.approx(process.velocity_std_rad_s, rel=0.02)
    assert np.corrcoef(first, q)[0, 1] == pytest.approx(autocorrelation(process, 20), abs=0.02)


def test_short_ticks_give_the_critically_damped_oscillator():
    process = StationaryProcess(1.0, 0.5, 0.002)
    assert process.velocity_std_rad_s == pytest.approx(1.0 / 0.5, rel=0.01)
    for ticks in (50, 250, 500):
        age = ticks * 0.002 / 0.5
        assert autocorrelation(process, ticks) == pytest.approx((1 + age) * np.exp(-age), abs=0.005)


@pytest.mark.parametrize("pose", [(0.3, 0.0), (-1.0, 1.5), (2.0, -2.4)])
def test_the_torque_reaches_the_velocity(pose):
    simulator = ReacherSimulator()
    start, wanted = np.array([0.8, -1.2]), np.array([1.0, -0.9])
    simulator.reset(pose, start)
    torque = torque_to_reach(simulator, wanted)
    assert np.abs(torque).max() < 1.0
    simulator.step(torque)
    np.testing.assert_allclose(simulator.qvel_rad_s, wanted, atol=0.03)


def test_angles_keep_mean_and_spread_from_the_first_tick_to_the_last(angles):
    scatter = 3.0 * PROCESS.std_rad / np.sqrt(EPISODES)
    assert np.abs(angles.mean(0)).max() < 1.2 * scatter  # the largest of 302 means
    for part in (angles[:, :75], angles[:, 75:]):
        np.testing.assert_allclose(part.std((0, 1)), PROCESS.std_rad, rtol=0.15)


def test_angles_are_gaussian(angles):
    apart = angles[:, ::75].reshape(-1, 2)  # 3 s apart: nearly independent
    for joint in apart.T:
        assert stats.kstest(joint / PROCESS.std_rad, "norm").pvalue > 0.01
    assert abs(np.corrcoef(apart.T)[0, 1]) < 0.2


@pytest.mark.parametrize("ticks", [1, 5, 12, 25])
def test_angles_forget_as_the_process_does(angles, ticks):
    lagged = (angles[:, ticks:] * angles[:, :-ticks]).mean((0, 1)) / (angles**2).mean((0, 1))
    np.testing.assert_allclose(lagged, autocorrelation(PROCESS, ticks), atol=0.005 * ticks)


def test_torques_stay_in_the_box_and_are_seldom_too_weak(rollouts):
    torques = np.stack([rollout.actions for rollout in rollouts])
    assert np.abs(torques).max() <= 1.0
    assert (np.abs(torques) == 1.0).mean() < 0.02
