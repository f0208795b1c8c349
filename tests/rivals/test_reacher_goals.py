"""The arm's goal environment: what gymnasium asks of one, and what is its own."""

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env, data_equivalence
from stable_baselines3.common.env_checker import check_env as sb3_check_env

from agent.rivals.reacher.environments import ReacherGoals
from envs.reacher import angle_error_rad

STILL = np.zeros(2, np.float32)


@pytest.fixture
def env() -> Iterator[ReacherGoals]:
    made = ReacherGoals()
    yield made
    made.close()


def rollout(env: ReacherGoals, seed: int, steps: int = 20) -> list[Any]:
    env.action_space.seed(seed)
    history: list[Any] = [env.reset(seed=seed)]
    history += [env.step(env.action_space.sample()) for _ in range(steps)]
    return history


def paid_at(env: ReacherGoals, away_rad: tuple[float, float]) -> tuple[float, bool]:
    """Reward and success of a tick at rest, that far from the goal."""
    _, info = env.reset(seed=3)
    env.world.reset(env.np_random, info["goal_state"] + (*away_rad, 0.0, 0.0))
    _, reward, _, _, info = env.step(STILL)
    return reward, info["is_success"]


def test_both_checkers_have_nothing_to_say(env: ReacherGoals) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message=".*infinity")  # speeds have no limit
        check_env(env, skip_render_check=True)
        sb3_check_env(env, warn=True)


def test_a_seed_fixes_everything(env: ReacherGoals) -> None:
    first, second, other = rollout(env, 5), rollout(env, 5), rollout(env, 6)
    assert data_equivalence(first, second, exact=True)
    assert not data_equivalence(first[0], other[0], exact=True)
    assert data_equivalence(rollout(ReacherGoals(), 5), first, exact=True)


def test_the_budget_truncates_and_nothing_terminates(env: ReacherGoals) -> None:
    with pytest.raises(ResetNeeded, match=r"reset\(\) before step"):
        env.step(STILL)
    _, info = env.reset(seed=0)
    env.world.reset(env.np_random, info["goal_state"])
    outcomes = [env.step(STILL) for _ in range(100)]
    assert [truncated for _, _, _, truncated, _ in outcomes] == [False] * 99 + [True]
    # It sat on its goal all along: a success is no end and no reset.
    assert not any(terminated for _, _, terminated, _, _ in outcomes)
    assert all(reward == 0.0 and info["is_success"] for _, reward, _, _, info in outcomes)
    with pytest.raises(ResetNeeded, match=r"reset\(\) before step"):
        env.step(STILL)


def test_half_of_the_starts_move_and_goals_are_at_rest(env: ReacherGoals) -> None:
    starts = [env.reset(seed=0)[1], *(env.reset()[1] for _ in range(60))]
    assert 20 < np.count_nonzero([info["state"][2:].any() for info in starts]) < 40
    assert not np.any([info["goal_state"][2:] for info in starts])


def test_the_tolerance_holds_for_both_joints_modulo_two_pi(env: ReacherGoals) -> None:
    assert paid_at(env, (0.049, -0.049)) == (0.0, True)
    assert paid_at(env, (0.049 - 4 * np.pi, 0.0)) == (0.0, True)
    assert paid_at(env, (0.051, 0.0)) == (-1.0, False)
    assert paid_at(env, (0.0, -0.051)) == (-1.0, False)


def test_the_shaped_reward_is_best_at_the_goal() -> None:
    env = ReacherGoals(shaped=True)
    paid = [paid_at(env, (away, away))[0] for away in (0.0, 0.02, -1.0, -2.0)]
    assert paid == pytest.approx([0.0, -0.02 / np.pi, -1 - 1 / np.pi, -1 - 2 / np.pi])


def test_the_reward_of_relabelled_goals_is_vectorised_and_the_same(env: ReacherGoals) -> None:
    steps = rollout(env, 2, steps=60)[1:]
    achieved = np.array([step[0]["achieved_goal"] for step in steps])
    desired = np.array([step[0]["desired_goal"] for step in steps])
    rewards = env.compute_reward(achieved, desired, [step[4] for step in steps])
    np.testing.assert_array_equal(rewards, [step[1] for step in steps])
    pairs = env.compute_reward(achieved[:, None], achieved[None], {})
    poses = np.array([step[4]["state"][:2] for step in steps])
    error = angle_error_rad(poses[:, None], poses[None]).max(axis=-1)
    np.testing.assert_array_equal(pairs == 0.0, error < 0.05)
