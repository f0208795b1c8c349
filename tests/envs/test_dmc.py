"""dm_control's own environment is the oracle, step by step; ours differs in the tick alone."""

import warnings
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from stable_baselines3.common.env_checker import check_env as sb3_check_env

import envs
import envs.reacher
from agent.rivals.reacher.dmc_env import ReacherDmcEnv
from envs.reacher import REACH_M, WRIST_LIMIT_RAD, angle_error_rad, fingertip_m

TASKS = sorted(REACH_M)


def dm_control(task: str, seed: int) -> Any:
    envs.configure_gl()  # before the import, which reads the choice
    from dm_control import suite

    return suite.load("reacher", task, {"random": seed})


def theirs_and_ours(task: str, seed: int) -> tuple[Any, Any, Any]:
    """dm_control's environment at its start, ours at the same one, and its observation."""
    theirs = dm_control(task, seed)
    seen = theirs.reset().observation
    ours = ReacherDmcEnv(task)
    target_m = theirs.physics.named.model.geom_pos["target", :2]
    start = {"qpos": theirs.physics.data.qpos.copy(), "target_m": target_m.copy()}
    first, _ = ours.reset(options=start)
    np.testing.assert_allclose(first, np.concatenate(list(seen.values())), atol=1e-6)
    return theirs, ours, list(seen)


@pytest.mark.parametrize("task", TASKS)
def test_rewards_and_observations_are_dm_controls(task: str) -> None:
    paid = []
    for seed in range(3):
        theirs, ours, names = theirs_and_ours(task, seed)
        assert names == ["position", "to_target", "velocity"]
        rng = np.random.default_rng(seed)
        torque = np.zeros(2, np.float32)
        for _ in range(250):
            torque = (0.9 * torque + 0.3 * rng.normal(size=2)).clip(-1, 1).astype(np.float32)
            steps = [theirs.step(torque) for _ in range(2)]  # a tick is two physics steps
            seen, reward, terminated, _, _ = ours.step(torque)
            expected = np.concatenate(list(steps[-1].observation.values()))
            np.testing.assert_allclose(seen, expected, atol=2e-6, rtol=1e-6)
            assert reward == sum(step.reward for step in steps)
            assert not terminated
            paid.append(reward)
    assert 0.0 in paid
    assert len(set(paid)) > 1  # the target was met


@pytest.mark.parametrize("task", TASKS)
def test_the_reach_is_the_sum_of_dm_controls_radii(task: str) -> None:
    theirs = dm_control(task, 0)
    theirs.reset()
    radii = theirs.physics.named.model.geom_size[["target", "finger"], 0].sum()
    assert REACH_M[task] == pytest.approx(radii, abs=1e-12)


def test_an_episode_is_a_thousand_physics_steps_and_is_cut_not_ended() -> None:
    theirs, ours, _ = theirs_and_ours("easy", 0)
    steps = 0
    while not theirs.step(np.zeros(2)).last():
        steps += 1
    outcomes = [ours.step(np.zeros(2, np.float32))[2:4] for _ in range(500)]
    assert steps + 1 == 1000
    assert outcomes == [(False, False)] * 499 + [(False, True)]
    with pytest.raises(gymnasium.error.ResetNeeded):
        ours.step(np.zeros(2, np.float32))


def test_starts_and_targets_are_drawn_as_dm_control_draws_them() -> None:
    theirs, ours = dm_control("easy", 0), ReacherDmcEnv("easy")
    ours.reset(seed=0)
    drawn = []
    for _ in range(600):
        theirs.reset()
        _, info = ours.reset()
        target_m = theirs.physics.named.model.geom_pos["target", :2]
        assert (info["state"][2:] == theirs.physics.data.qvel).all()  # both at rest
        drawn.append([[*theirs.physics.data.qpos, *_polar(target_m)],
                      [*info["state"][:2], *_polar(info["target_m"])]])  # fmt: skip
    quantiles = np.quantile(np.array(drawn), np.linspace(0, 1, 11), axis=0)  # (11, 2, 4)
    span = np.array([2 * np.pi, 2 * WRIST_LIMIT_RAD, 0.15, 2 * np.pi])
    assert (np.abs(quantiles[:, 0] - quantiles[:, 1]) / span).max() < 0.08


def _polar(point_m: Any) -> tuple[float, float]:
    return float(np.hypot(*point_m)), float(np.arctan2(*point_m))


def test_whoever_stays_on_the_target_is_paid_a_thousand() -> None:
    env = ReacherDmcEnv("hard")
    env.reset(seed=0, options={"qpos": (0.3, 1.0), "target_m": fingertip_m((0.3, 1.0))})
    outcomes = [env.step(np.zeros(2, np.float32)) for _ in range(500)]
    assert sum(outcome[1] for outcome in outcomes) == 1000.0
    assert outcomes[-1][3]


@pytest.mark.parametrize("task", TASKS)
def test_both_checkers_have_nothing_to_say(task: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # The shoulder turns without limit, and dm_control observes it raw.
        warnings.filterwarnings("ignore", message=".*infinity")
        env = ReacherDmcEnv(task)
        check_env(env, skip_render_check=True)
        sb3_check_env(env, warn=True)


def test_a_seed_fixes_start_and_target() -> None:
    env = ReacherDmcEnv("easy")
    (one, _), (same, _), (other, _) = (env.reset(seed=seed) for seed in (4, 4, 5))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_the_fingertip_is_the_simulators() -> None:
    simulator = envs.reacher.ReacherSimulator()
    for seed in range(20):
        pose = envs.reacher.sample_pose(np.random.default_rng(seed))
        simulator.reset(pose)
        found = simulator.physics.named.data.geom_xpos["finger", :2]
        np.testing.assert_allclose(fingertip_m(pose), found, atol=1e-12)


def test_the_goal_pose_reaches_the_target_by_the_shorter_way() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        start, target_m = envs.reacher.sample_pose(rng), envs.reacher.sample_target_m(rng)
        goal = envs.reacher.nearer_goal_pose(start, target_m)
        np.testing.assert_allclose(fingertip_m(goal), target_m, atol=1e-12)
        assert abs(goal[1]) <= WRIST_LIMIT_RAD
        shoulder, wrist = (
            [abs(float(x)) for x in (angle_error_rad(pose, start)[0], pose[1] - start[1])]
            for pose in envs.reacher.goal_pose_from_inverse_kinematics(target_m)
        )
        way = max(angle_error_rad(goal, start)[0], abs(goal[1] - start[1]))
        assert way == pytest.approx(min(max(shoulder), max(wrist)))


@pytest.mark.parametrize("name", ["manipulator-insert_ball", "quadruped-escape"])
def test_a_scene_that_is_another_in_every_episode_is_refused(name: str) -> None:
    with pytest.raises(envs.WorldError, match="parts of its scene elsewhere in every episode"):
        envs.make_world(f"dmc:{name}")


def test_a_target_may_be_elsewhere() -> None:
    envs.make_world("dmc:manipulator-bring_ball").close()
