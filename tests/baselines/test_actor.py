"""Our actor is Stable-Baselines3's, number for number; files that are another's are told apart."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch

from agent.baselines.actor import Actor, ActorConfig, ActorController, save_actor
from agent.baselines.algorithms import ALGORITHMS
from agent.baselines.learners import extract_actor, make_learner
from agent.errors import DamagedDataError, UserError
from agent.interfaces import GoalObservation
from agent.model.bundle import write_bundle
from envs import goal_pose_from_inverse_kinematics

BLANK = np.zeros((8, 8, 3), np.uint8)


def goal_state(info: dict[str, Any]) -> Any:
    if "goal_state" in info:
        return info["goal_state"]
    return np.array([*goal_pose_from_inverse_kinematics(info["target_m"])[0], 0.0, 0.0])


@pytest.mark.parametrize("name", ALGORITHMS)
def test_actions_are_those_of_stable_baselines(name: str, tmp_path: Path) -> None:
    algorithm = ALGORITHMS[name]
    task = "hard" if algorithm.on_dmc_reward else None
    settings = dataclasses.replace(algorithm.settings, environments=1, hidden=(16, 8), replay=100)
    learner = make_learner(algorithm, algorithm.environment_id(task), 0, settings)
    with torch.no_grad():
        for parameter in learner.policy.parameters():
            parameter.mul_(3.0).add_(0.05)  # far from zero torque, some of it saturated
    save_actor(tmp_path / "actor", extract_actor(learner, algorithm, task), {})
    controller = ActorController.load(tmp_path / "actor", name)
    assert controller.name == name
    environment = gymnasium.make(algorithm.environment_id(task))
    environment.action_space.seed(0)
    for seed in range(10):
        environment.reset(seed=seed)
        for _ in range(5):
            seen, _, _, _, info = environment.step(environment.action_space.sample())
        theirs, _ = learner.predict(seen, deterministic=True)
        observation = GoalObservation(BLANK, BLANK, info["state"], goal_state(info))
        ours = controller.act([observation, observation])
        np.testing.assert_allclose(ours, [theirs, theirs], atol=1e-5)


def test_damage_and_strangers_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="expected a checkpoint directory"):
        ActorController.load(tmp_path / "none")
    write_bundle(tmp_path / "other", {"config.json": b'{"schema": "lejepa-agent/world-model/1"}'})
    with pytest.raises(UserError, match="world-model"):
        ActorController.load(tmp_path / "other")
    save_actor(tmp_path / "actor", Actor(ActorConfig(hidden=(4,))), {})
    with pytest.raises(UserError, match=r"'td3' in .*, got one of 'sac'"):
        ActorController.load(tmp_path / "actor", "td3")
    weights = tmp_path / "actor" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    with pytest.raises(DamagedDataError, match="damaged"):
        ActorController.load(tmp_path / "actor")


def test_a_checkpoint_of_the_first_schema_is_read(tmp_path: Path) -> None:
    save_actor(tmp_path / "new", Actor(ActorConfig(hidden=(4,))), {})
    config = json.loads((tmp_path / "new" / "config.json").read_text())
    for added in ("algorithm", "task", "squashed"):
        del config["actor"][added]
    config["schema"] = "lejepa-agent/goal-actor/1"
    weights = (tmp_path / "new" / "model.safetensors").read_bytes()
    files = {"config.json": json.dumps(config).encode(), "model.safetensors": weights}
    write_bundle(tmp_path / "old", files)
    assert ActorController.load(tmp_path / "old", "sac").protocols is None


def test_inputs_must_be_those_of_the_task() -> None:
    with pytest.raises(ValueError, match="expected inputs"):
        ActorConfig(hidden=(4,), task="easy")
