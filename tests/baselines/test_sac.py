"""Our actor is Stable-Baselines3's, number for number; a training repeats and can be cut short."""

import contextlib
import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from agent.baselines.actor import Actor, ActorConfig, save_actor
from agent.baselines.sac import (
    MovingStarts,
    SacController,
    SacSettings,
    extract_actor,
    make_model,
    train_sac,
)
from agent.errors import DamagedDataError, UserError
from agent.interfaces import GoalObservation
from agent.model.bundle import bundle_sha256, write_bundle
from envs import ReacherStateGoalEnv

TINY = SacSettings(
    environments=2, updates_per_round=1, hidden=(16, 8), batch=32, warm_up_episodes=1,
    report_every=100,
)  # fmt: skip
BLANK = np.zeros((8, 8, 3), np.uint8)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sac")
    list(train_sac(out, env_steps=300, seed=3, settings=TINY))
    return out


def test_actions_are_those_of_stable_baselines(tmp_path: Path) -> None:
    model = make_model(0, TINY)
    with torch.no_grad():
        for parameter in model.policy.actor.parameters():
            parameter.mul_(3.0)  # far from zero torque, some of it saturated
    save_actor(tmp_path / "actor", extract_actor(model), {})
    controller = SacController.load(tmp_path / "actor")
    environment = ReacherStateGoalEnv()
    rng = np.random.default_rng(0)
    for seed in range(10):
        options = {"qvel": rng.normal(0.0, 40.0, 2).clip(-100, 100)}
        seen, info = environment.reset(seed=seed, options=options)
        theirs, _ = model.predict(seen, deterministic=True)
        observation = GoalObservation(BLANK, BLANK, info["state"], info["goal_state"])
        ours = controller.act([observation, observation])
        np.testing.assert_allclose(ours, [theirs, theirs], atol=1e-6)


def test_a_training_repeats_and_tells_its_progress(trained: Path, tmp_path: Path) -> None:
    again = list(train_sac(tmp_path / "sac", env_steps=300, seed=3, settings=TINY))
    assert [s.env_steps for s in again] == [100, 200, 300]
    assert again[-1].updates > 0
    assert again[-1].success is not None
    weights = "checkpoint/model.safetensors"
    assert (tmp_path / "sac" / weights).read_bytes() == (trained / weights).read_bytes()
    lines = (tmp_path / "sac" / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [dataclasses.asdict(s) for s in again]


def test_another_seed_is_another_policy(trained: Path, tmp_path: Path) -> None:
    list(train_sac(tmp_path / "sac", env_steps=300, seed=4, settings=TINY))
    weights = "checkpoint/model.safetensors"
    assert (tmp_path / "sac" / weights).read_bytes() != (trained / weights).read_bytes()


def test_no_pickle_and_the_facts_are_there(trained: Path) -> None:
    names = {path.name for path in (trained / "checkpoint").iterdir()}
    assert names == {"config.json", "manifest.json", "model.safetensors"}
    facts = json.loads((trained / "checkpoint" / "config.json").read_text())["facts"]
    assert (facts["env_steps"], facts["seed"]) == (300, 3)
    loaded = SacController.load(trained)
    assert loaded.checkpoint_sha256 == bundle_sha256(trained / "checkpoint")


def test_a_training_cut_short_is_saved(tmp_path: Path) -> None:
    with contextlib.closing(train_sac(tmp_path, env_steps=10_000, settings=TINY)) as training:
        next(training)
    facts = json.loads((tmp_path / "checkpoint" / "config.json").read_text())["facts"]
    assert facts["env_steps"] == 100
    SacController.load(tmp_path)


def test_ctrl_c_saves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    training = train_sac(tmp_path, env_steps=10_000, settings=TINY)
    next(training)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ReacherStateGoalEnv, "step", interrupt)
    with pytest.raises(KeyboardInterrupt):
        next(training)
    SacController.load(tmp_path)


def test_damage_and_strangers_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="expected a checkpoint directory"):
        SacController.load(tmp_path / "none")
    write_bundle(tmp_path / "other", {"config.json": b'{"schema": "lejepa-agent/world-model/1"}'})
    with pytest.raises(UserError, match="world-model"):
        SacController.load(tmp_path / "other")
    save_actor(tmp_path / "actor", Actor(ActorConfig(hidden=(4,))), {})
    weights = tmp_path / "actor" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    with pytest.raises(DamagedDataError, match="damaged"):
        SacController.load(tmp_path / "actor")


def test_senseless_numbers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="env_steps >= 1"):
        train_sac(tmp_path, env_steps=0)


def test_half_of_the_starts_move() -> None:
    environment = MovingStarts(ReacherStateGoalEnv())
    environment.reset(seed=0)
    speeds = [np.abs(environment.reset()[1]["state"][2:]).max() for _ in range(60)]
    assert 20 < np.count_nonzero(speeds) < 40
    assert np.all(environment.reset(options={"qvel": (0.0, 0.0)})[1]["state"][2:] == 0.0)
