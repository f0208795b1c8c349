"""Our actor is Stable-Baselines3's, number for number; files that are another's are told apart."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from agent.errors import DamagedDataError, UserError
from agent.files.bundle import write_bundle
from agent.interfaces import Goals, Seen
from agent.rivals.actor import ACTORS, Actor, ActorConfig, ActorController
from agent.rivals.algorithms import ALGORITHMS, spec_of
from agent.rivals.learners import extract_actor, make_learner
from agent.rivals.reacher.environments import make_environment
from envs import DEFAULT_WORLD
from envs.reacher import goal_pose_from_inverse_kinematics

SPEC = spec_of(DEFAULT_WORLD)


def goal_state(info: dict[str, Any]) -> Any:
    if "goal_state" in info:
        return info["goal_state"]
    return np.array([*goal_pose_from_inverse_kinematics(info["target_m"])[0], 0.0, 0.0])


@pytest.mark.parametrize("name", ALGORITHMS)
def test_actions_are_those_of_stable_baselines(name: str, tmp_path: Path) -> None:
    algorithm = ALGORITHMS[name]
    task = "hard" if algorithm.on_dmc_reward else None
    settings = dataclasses.replace(algorithm.settings, environments=1, hidden=(16, 8), replay=100)
    learner = make_learner(algorithm, DEFAULT_WORLD, task, 0, settings)
    with torch.no_grad():
        for parameter in learner.policy.parameters():
            parameter.mul_(3.0).add_(0.05)  # far from zero torque, some of it saturated
    ACTORS.save(tmp_path / "actor", extract_actor(learner, algorithm, SPEC, task), {})
    controller = ActorController.load(tmp_path / "actor", name)
    assert controller.name == name
    environment = make_environment(algorithm, task)
    environment.action_space.seed(0)
    for seed in range(10):
        environment.reset(seed=seed)
        for _ in range(5):
            seen, _, _, _, info = environment.step(environment.action_space.sample())
        theirs, _ = learner.predict(seen, deterministic=True)
        controller.reset(Goals(state=np.stack([goal_state(info)] * 2)), [0, 1])
        ours = controller.act(Seen(state=np.stack([info["state"]] * 2))).actions
        np.testing.assert_allclose(ours, [theirs, theirs], atol=1e-5)


def test_damage_and_strangers_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="expected a checkpoint directory"):
        ActorController.load(tmp_path / "none")
    write_bundle(tmp_path / "other", {"config.json": b'{"schema": "lejepa-agent/world-model/1"}'})
    with pytest.raises(UserError, match="world-model"):
        ActorController.load(tmp_path / "other")
    ACTORS.save(tmp_path / "actor", Actor(ActorConfig(hidden=(4,)), SPEC), {})
    with pytest.raises(UserError, match=r"'td3' in .*, got one of 'sac'"):
        ActorController.load(tmp_path / "actor", "td3")
    weights = tmp_path / "actor" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    with pytest.raises(DamagedDataError, match="damaged"):
        ActorController.load(tmp_path / "actor")


def test_the_world_is_part_of_the_checkpoint(tmp_path: Path) -> None:
    ACTORS.save(tmp_path / "actor", Actor(ActorConfig(hidden=(4,), task="easy"), SPEC), {})
    needs = ActorController.load(tmp_path / "actor").needs
    assert (needs.spec, needs.tasks, needs.pixels) == (SPEC, ("dmc-easy",), False)


def test_layers_must_have_a_size() -> None:
    with pytest.raises(ValueError, match="hidden layer sizes"):
        ActorConfig(hidden=())
