"""One conformance suite over every registered id, then what is special to each."""

import subprocess
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from stable_baselines3 import SAC, HerReplayBuffer
from stable_baselines3.common.env_checker import check_env as sb3_check_env
from stable_baselines3.common.logger import Logger

import envs
import envs.reacher
from envs.reacher.goal_envs import cos_sin, pose_difference_rad
from envs.reacher.registration import ENTRY_POINTS

IDS = sorted(ENTRY_POINTS)
POSE = {"qpos": (0.5, 0.5), "goal_qpos": (0.5, 0.5)}


@pytest.fixture(params=IDS)
def env(request: pytest.FixtureRequest) -> Iterator[gymnasium.Env[Any, Any]]:
    made = gymnasium.make(request.param)
    yield made
    made.close()


def same(a: Any, b: Any) -> bool:
    return gymnasium.utils.env_checker.data_equivalence(a, b, exact=True)


def rollout(env: gymnasium.Env[Any, Any], seed: int, steps: int = 20) -> list[Any]:
    env.action_space.seed(seed)
    history: list[Any] = [env.reset(seed=seed)]
    history += [env.step(env.action_space.sample()) for _ in range(steps)]
    return history


@pytest.mark.parametrize("name", IDS)
@pytest.mark.parametrize("render_mode", [None, "rgb_array"])
def test_both_checkers_have_nothing_to_say(name: str, render_mode: str | None) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env = gymnasium.make(name, render_mode=render_mode)
        check_env(env)
        sb3_check_env(env, warn=True, skip_render_check=False)
        env.close()


def test_a_seed_fixes_everything(env: gymnasium.Env[Any, Any]) -> None:
    first, second, other = rollout(env, 5), rollout(env, 5), rollout(env, 6)
    assert same(first, second)
    assert not same(first[0], other[0])
    again = gymnasium.make(env.spec)
    assert same(rollout(again, 5), first)
    again.close()


def test_the_budget_truncates_and_nothing_terminates(env: gymnasium.Env[Any, Any]) -> None:
    env.reset(seed=0, options=POSE)
    outcomes = [env.step(np.zeros(2, np.float32)) for _ in range(100)]
    assert [truncated for _, _, _, truncated, _ in outcomes] == [False] * 99 + [True]
    # It sat on its goal all along: a success is no end and no reset.
    assert not any(terminated for _, _, terminated, _, _ in outcomes)
    assert all(reward == 0.0 and info["is_success"] for _, reward, _, _, info in outcomes)
    np.testing.assert_array_equal(outcomes[-1][4]["state"], (0.5, 0.5, 0.0, 0.0))


def test_stepping_outside_an_episode_raises(env: gymnasium.Env[Any, Any]) -> None:
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.step(np.zeros(2))
    env.reset(seed=0)
    for _ in range(100):
        env.step(np.zeros(2, np.float32))
    with pytest.raises(gymnasium.error.ResetNeeded, match=r"reset\(\) before step"):
        env.step(np.zeros(2, np.float32))
    env.reset()
    env.step(np.zeros(2, np.float32))


def test_a_start_is_at_rest_and_random(env: gymnasium.Env[Any, Any]) -> None:
    starts = [env.reset(seed=seed)[1] for seed in range(5)]
    states = np.array([[info["state"], info["goal_state"]] for info in starts])  # (5, 2, 4)
    assert (states[..., 2:] == 0.0).all()
    assert len(np.unique(states[..., 0])) == 10


def test_reset_options_are_taken(env: gymnasium.Env[Any, Any]) -> None:
    options = {"qpos": (7.0, -2.9), "qvel": (3.0, -4.0), "goal_qpos": (0.2, 0.1)}
    _, info = env.reset(seed=0, options=options)
    np.testing.assert_array_equal(info["state"], (7.0, -2.9, 3.0, -4.0))
    np.testing.assert_array_equal(info["goal_state"], (0.2, 0.1, 0.0, 0.0))
    expected = [6.8 - 2 * np.pi, 3.0]
    np.testing.assert_allclose(info["error_rad"], expected)


def test_one_option_leaves_the_other_draw_alone(env: gymnasium.Env[Any, Any]) -> None:
    _, drawn = env.reset(seed=3)
    _, given = env.reset(seed=3, options={"qpos": (0.0, 0.0)})
    np.testing.assert_array_equal(given["goal_state"], drawn["goal_state"])


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"goal_qps": (0, 0)}, "got 'goal_qps'; did you mean 'goal_qpos'"),
        ({"zzz": 1}, "expected reset options of"),
        ({"goal_qpos": (0.0, 3.5)}, "goal_qpos with a wrist within"),
        ({"qpos": (0.0,)}, "qpos to be two finite numbers"),
        ({"qpos": "ab"}, "qpos to be two finite numbers"),
        ({"qvel": (0.0, 1e6)}, "qvel within"),
    ],
)
def test_a_wrong_option_is_an_error(
    env: gymnasium.Env[Any, Any], options: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        env.reset(options=options)


def test_a_bad_action_is_an_error(env: gymnasium.Env[Any, Any]) -> None:
    env.reset(seed=0)
    with pytest.raises(ValueError, match="expected torque to be two finite numbers"):
        env.step(np.array([np.nan, 0.0]))


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"render_mode": "human"}, "got 'human'"),
        ({"render_profile": "quick"}, "got 'quick'"),
        ({"image_size": 4}, "from 8 to 1024 pixels, got 4"),
        ({"budget_steps": 0}, "budget_steps of at least 1"),
        ({"tolerance_rad": -0.1}, "tolerance_rad between 0 and π"),
    ],
)
@pytest.mark.parametrize(
    "kind", [envs.reacher.ReacherPixelGoalEnv, envs.reacher.ReacherStateGoalEnv]
)
def test_a_wrong_argument_is_an_error(kind: Any, arguments: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        kind(**arguments)


def test_the_tolerance_holds_for_both_joints_modulo_two_pi(env: gymnasium.Env[Any, Any]) -> None:
    def reward_at_rest(qpos: tuple[float, float]) -> tuple[float, bool]:
        env.reset(seed=0, options={"qpos": qpos, "goal_qpos": (3.13, 0.4)})
        _, reward, _, _, info = env.step(np.zeros(2, np.float32))
        return float(reward), info["is_success"]

    assert reward_at_rest((3.13 + 0.049, 0.4 - 0.049)) == (0.0, True)
    assert reward_at_rest((3.13 + 0.049 - 4 * np.pi, 0.4)) == (0.0, True)
    assert reward_at_rest((3.13 + 0.051, 0.4)) == (-1.0, False)
    assert reward_at_rest((3.13, 0.4 - 0.051)) == (-1.0, False)


def test_gymnasium_alone_makes_them_by_module_and_id() -> None:
    program = f"import gymnasium\nfor i in {IDS}: print(gymnasium.make('envs:' + i).spec.id)"
    child = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert child.stdout.split() == IDS, child.stderr
    assert child.stderr == ""


def test_registering_again_changes_nothing() -> None:
    before = dict(gymnasium.registry)
    envs.register_environments()
    gymnasium.register_envs(envs)
    assert dict(gymnasium.registry) == before


@pytest.mark.parametrize("name", IDS)
def test_render_shows_the_present_pose(name: str) -> None:
    env = gymnasium.make(name, render_mode="rgb_array", image_size=48, render_profile="dmc")
    env.reset(seed=0, options={"qpos": (1.0, 0.3)})
    image = env.render()
    with envs.reacher.Renderer(envs.reacher.ReacherSimulator(), "dmc", 48) as renderer:
        np.testing.assert_array_equal(image, renderer.render_pose((1.0, 0.3)))
    env.close()
    assert gymnasium.make(name).render() is None


def test_pixels_show_the_state_and_the_goal() -> None:
    env = gymnasium.make(envs.reacher.PIXEL_GOAL_ID)
    observation, info = env.reset(seed=1)
    with envs.reacher.Renderer(envs.reacher.ReacherSimulator()) as renderer:
        for _ in range(3):
            np.testing.assert_array_equal(
                observation["pixels"], renderer.render_pose(info["state"][:2])
            )
            np.testing.assert_array_equal(
                observation["goal_pixels"], renderer.render_pose(info["goal_state"][:2])
            )
            observation["goal_pixels"][:] = 0  # the caller's own copy
            observation, _, _, _, info = env.step(np.ones(2, np.float32))
    env.close()


def test_the_reward_of_relabelled_goals_is_vectorised_and_the_same() -> None:
    env = gymnasium.make(envs.reacher.STATE_GOAL_ID)
    compute_reward = env.compute_reward  # type: ignore[attr-defined]
    steps = rollout(env, 2, steps=60)[1:]
    achieved = np.array([step[0]["achieved_goal"] for step in steps])
    desired = np.array([step[0]["desired_goal"] for step in steps])
    rewards = compute_reward(achieved, desired, [step[4] for step in steps])
    assert rewards.shape == (60,)
    np.testing.assert_array_equal(rewards, [step[1] for step in steps])
    np.testing.assert_array_equal(compute_reward(achieved, achieved, {}), 0.0)
    pairs = compute_reward(achieved[:, None], achieved[None], {})
    qpos = np.array([step[4]["state"][:2] for step in steps])
    error = envs.reacher.angle_error_rad(qpos[:, None], qpos[None]).max(axis=-1)
    assert pairs.shape == (60, 60)
    np.testing.assert_array_equal(pairs == 0.0, error < 0.05)


def test_goals_are_points_on_two_circles() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.uniform(-9, 9, (2, 30, 2))
    np.testing.assert_allclose(
        cos_sin(a)[:, ::2] + 1j * cos_sin(a)[:, 1::2], np.exp(1j * a), atol=1e-6
    )
    np.testing.assert_allclose(
        pose_difference_rad(cos_sin(a), cos_sin(b)), envs.reacher.angle_error_rad(a, b), atol=1e-6
    )


def test_observations_stay_in_their_space_at_full_torque() -> None:
    env = gymnasium.make(envs.reacher.STATE_GOAL_ID)
    observation, _ = env.reset(options={"qpos": (0.0, 2.7), "qvel": (90.0, -90.0)})
    for _ in range(100):
        assert env.observation_space.contains(observation)
        observation, *_ = env.step(np.ones(2, np.float32))


def test_sac_with_hindsight_trains_without_an_adapter() -> None:
    env = gymnasium.make(envs.reacher.STATE_GOAL_ID, budget_steps=20)
    model = SAC(
        "MultiInputPolicy",
        env,
        replay_buffer_class=HerReplayBuffer,
        replay_buffer_kwargs={"n_sampled_goal": 4, "goal_selection_strategy": "future"},
        learning_starts=40,
        buffer_size=500,
        batch_size=16,
        policy_kwargs={"net_arch": [8]},
        seed=0,
        device="cpu",
    )
    model.set_logger(Logger(None, []))  # its own leaves a folder behind
    model.learn(60)
    assert model.num_timesteps == 60
    relabelled = model.replay_buffer.sample(64)  # type: ignore[union-attr]
    assert {-1.0, 0.0} >= set(relabelled.rewards.unique().tolist())
    assert (relabelled.rewards == 0.0).any()  # hindsight finds successes where there were none
    assert (relabelled.dones == 0.0).all()  # a time limit is no end
