"""Any world is a goal environment: rewards survive relabelling, the code is the controller's."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from gymnasium.error import ResetNeeded

from agent.errors import UserError
from agent.rivals.algorithms import ALGORITHMS, RLSettings
from agent.rivals.goal_env import WorldGoalEnv
from agent.rivals.state_code import StateCode
from envs import Column, WorldError, WorldSpec
from envs.reacher.world import STATE

SPEC = WorldSpec("line", "plain", (16, 16), 3, 0.1, (
    Column("x", "m", low=-2.0, high=4.0, tolerance=0.2, point="p"),
    Column("y", "m", tolerance=0.2, point="p"),
    Column("turn", "rad", period=2 * np.pi, tolerance=0.1),
    Column("speed", "m/s"),
))  # fmt: skip


class Line:
    """Moves by its actions; ends beyond x = 3; cannot be posed."""

    spec = SPEC

    def reset(self, rng: np.random.Generator, state: object = None) -> None:
        self._state = np.array([*rng.uniform(-1, 1, 3), 0.0])

    def step(self, action: np.ndarray) -> bool:
        self._state[:3] += 0.3 * action
        self._state[3] = action[0]
        return bool(self._state[0] > 3.0)

    def frame(self) -> np.ndarray:
        raise AssertionError("no frame is drawn")

    def state(self) -> np.ndarray:
        return self._state.copy()

    def close(self) -> None:
        pass


def test_relabelled_rewards_are_those_of_the_world() -> None:
    env, rng = WorldGoalEnv(Line()), np.random.default_rng(0)
    env.budget_steps = 5
    env.reset(seed=0)
    for _ in range(5):
        seen, reward, ended, truncated, info = env.step(rng.uniform(-1, 1, 3))
        again = env.compute_reward(seen["achieved_goal"][None], seen["desired_goal"][None], [{}])
        assert again.tolist() == [reward]
        assert env.compute_reward(seen["achieved_goal"], seen["achieved_goal"], {}) == 0.0
        assert info["is_success"] == (reward == 0.0)
    assert truncated and not ended


def test_distance_counts_points_and_turns() -> None:
    code, zero = StateCode(SPEC), np.zeros(4)
    for away, tolerances in (([0.12, 0.16, 0, 9], 1.0), ([0, 0, 2 * np.pi - 0.3, 0], 3.0)):
        found = code.distance(code.goal(np.array(away)), code.goal(zero))
        assert found == pytest.approx(tolerances, rel=1e-4)


def test_an_end_of_the_world_is_terminated() -> None:
    env = WorldGoalEnv(Line())
    env.reset(seed=0)
    env.world.reset(np.random.default_rng(0))  # within 1 of the middle: 7 to 14 steps to the end
    for _ in range(14):
        _, _, ended, truncated, _ = env.step(np.array([1.0, 0.0, 0.0]))
        if ended:
            break
    assert ended and not truncated
    with pytest.raises(ResetNeeded):
        env.step(np.zeros(3))


def test_a_state_that_is_no_number_is_named_and_not_learned_from() -> None:
    env = WorldGoalEnv(Line())
    env.reset(seed=0)
    env.world._state[1] = np.nan
    with pytest.raises(WorldError, match=r"finite numbers .* = nan at tick 1"):
        env.step(np.zeros(3))


def test_the_controllers_code_is_what_is_learned_from() -> None:
    env = WorldGoalEnv(Line())
    env.reset(seed=1)
    for _ in range(3):
        seen, _, _, _, info = env.step(np.array([1.0, -0.5, 0.2]))
        ours = env.code.features(info["state"][None], info["goal_state"][None])[0]
        theirs = [seen[name] for name in ("achieved_goal", "desired_goal", "observation")]
        np.testing.assert_array_equal(ours, np.concatenate(theirs))


def test_angles_are_points_on_circles_and_speeds_are_cut() -> None:
    code = StateCode(WorldSpec("two links", "fast", (64, 64), 2, 0.04, STATE))
    shown = code.observation(np.array([0.3, -2.0, 5.0, 300.0]))
    expected = [np.cos(0.3), np.sin(0.3), np.cos(2.0), -np.sin(2.0), 0.5, 10.0]
    np.testing.assert_array_equal(shown, np.array(expected, np.float32))


def test_a_world_without_goals_is_refused() -> None:
    with pytest.raises(UserError, match="says when a goal is reached"):
        StateCode(dataclasses.replace(SPEC, state=(Column("x"),)))


@pytest.mark.parametrize("name", ["sac", "td3", "ppo"])
def test_any_world_is_learned_in(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from agent.rivals import algorithms
    from agent.rivals.actor import ActorController
    from agent.rivals.reinforcement import Training

    monkeypatch.setattr(algorithms, "make_world", lambda name: Line())
    settings = RLSettings(
        environments=2, updates_per_round=1, hidden=(8,), batch=20, epochs=1, warm_up_episodes=1,
        hindsight_goals=0 if name == "ppo" else 4, replay=1000,
    )  # fmt: skip
    list(Training(tmp_path, name, None, 400, 0, settings, world="line").run())
    controller = ActorController.load(tmp_path / "checkpoint", name)
    assert controller.needs.spec == SPEC
    assert ALGORITHMS[name].name == controller.name
