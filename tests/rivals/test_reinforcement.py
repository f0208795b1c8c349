"""A training repeats, and stopped and resumed it is the uninterrupted one, byte for byte."""

import dataclasses
import errno
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent.commands.baseline import Baseline
from agent.errors import DamagedDataError, MachineError, UserError
from agent.files import bundle
from agent.files.bundle import bundle_sha256
from agent.rivals import policy_files, reinforcement
from agent.rivals.actor import ActorController
from agent.rivals.algorithms import ALGORITHMS, RLSettings
from agent.rivals.learners import learn_leg, make_learner
from agent.rivals.reacher.environments import ReacherGoals
from agent.rivals.reinforcement import Training

TINY = RLSettings(
    environments=2, updates_per_round=1, hidden=(8, 8), batch=50, warm_up_episodes=1, epochs=1,
    replay=1000, save_every=1, checkpoint_every=150,
)  # fmt: skip
WITHOUT_HINDSIGHT = dataclasses.replace(TINY, hindsight_goals=0, environments=1)
FILES = ("checkpoint/model.safetensors", "training_state/state.safetensors")


def train(out: Path, env_steps: int, seed: int = 3, resume: bool = False, **kind: Any) -> list[Any]:
    settings = kind.pop("settings", TINY)
    kind = {"algorithm": "sac", "task": None, **kind}
    return list(
        Training(
            out, env_steps=env_steps, seed=seed, settings=settings, resume=resume, **kind
        ).run()
    )


def timeless(out: Path) -> list[dict[str, Any]]:
    lines = (out / "metrics.jsonl").read_text().splitlines()
    return [{k: v for k, v in json.loads(line).items() if k != "seconds"} for line in lines]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sac")
    train(out, 400)
    return out


def test_resumed_is_uninterrupted(trained: Path, tmp_path: Path) -> None:
    train(tmp_path, 200)
    lost = json.dumps({"env_steps": 400}) + "\n" + '{"env_st'  # a kill after the last state
    with (tmp_path / "metrics.jsonl").open("a") as metrics:
        metrics.write(lost)
    assert [report.env_steps for report in train(tmp_path, 400, resume=True)] == [400]
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (trained / name).read_bytes()
    told = [{**line, "total_env_steps": 400} for line in timeless(tmp_path)]
    assert told == timeless(trained)


@pytest.mark.parametrize(
    ("algorithm", "task", "steps"), [("ppo", None, 100), ("td3-dmc", "easy", 500)]
)
def test_the_others_resume_as_exactly(
    algorithm: str, task: str | None, steps: int, tmp_path: Path
) -> None:
    kind = {"algorithm": algorithm, "task": task, "settings": WITHOUT_HINDSIGHT}
    train(tmp_path / "whole", 2 * steps, **kind)
    train(tmp_path / "parts", steps, **kind)
    train(tmp_path / "parts", 2 * steps, resume=True, **kind)
    for name in FILES:
        assert (tmp_path / "parts" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_another_seed_is_another_policy(trained: Path, tmp_path: Path) -> None:
    train(tmp_path, 400, seed=4)
    assert (tmp_path / FILES[0]).read_bytes() != (trained / FILES[0]).read_bytes()


def test_the_learning_curve_is_there_without_a_pickle(trained: Path) -> None:
    assert {path.name for path in (trained / "checkpoints").iterdir()} == {"200", "400"}
    found = {path.suffix for path in trained.rglob("*") if path.is_file()}
    assert found == {".json", ".jsonl", ".safetensors"}
    facts = json.loads((trained / "checkpoints/200/config.json").read_text())["facts"]
    assert (facts["env_steps"], facts["seed"]) == (200, 3)
    assert facts["peak_memory_mb"] > 10
    last = ActorController.load(trained / "checkpoint")
    assert last.checkpoint_sha256 == bundle_sha256(trained / "checkpoint")
    assert ActorController.load(trained / "checkpoints/200").name == "sac"


def test_ctrl_c_keeps_the_last_state(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports = Training(tmp_path, env_steps=400, seed=3, settings=TINY).run()
    next(reports)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ReacherGoals, "step", interrupt)
        with pytest.raises(KeyboardInterrupt):
            next(reports)
    train(tmp_path, 400, resume=True)
    assert (tmp_path / FILES[0]).read_bytes() == (trained / FILES[0]).read_bytes()


@pytest.mark.parametrize("writes", range(1, 7))
def test_stopped_at_any_write_it_goes_on(
    writes: int, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a state, a point of the curve or the latest actor, each after 200 env steps."""

    def write_bundle(*given: Any) -> None:
        nonlocal writes
        writes -= 1
        if not writes:
            raise OSError(errno.ENOSPC, "full")
        bundle.write_bundle(*given)

    with monkeypatch.context() as patch:
        for module in (reinforcement, policy_files):
            patch.setattr(module, "write_bundle", write_bundle)
        with pytest.raises(MachineError, match="no space"):
            train(tmp_path, 400)
    train(tmp_path, 400, resume=bundle.has_bundle(tmp_path / "training_state"))
    for name in (*FILES, *(f"checkpoints/{steps}/model.safetensors" for steps in (200, 400))):
        assert (tmp_path / name).read_bytes() == (trained / name).read_bytes(), name
    assert timeless(tmp_path) == timeless(trained)


def test_the_time_limit_is_no_end_to_learn_from() -> None:
    settings = dataclasses.replace(WITHOUT_HINDSIGHT, warm_up_episodes=2)
    learner: Any = make_learner(ALGORITHMS["sac-dmc"], "reacher", "easy", 0, settings)
    ended = learn_leg(learner, 0, 0, settings)
    assert len(ended) == 1
    buffer = learner.replay_buffer
    assert buffer.dones[:500].sum() == buffer.timeouts[:500].sum() == 1.0
    last = buffer._get_samples(np.array([499]))
    assert float(last.dones) == 0.0  # so the value of what would follow is learned


def test_a_training_replaces_nothing(trained: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="already holds a run; continue it with --resume"):
        train(trained, 200)
    kept = tmp_path / "checkpoints" / "reacher" / "model"
    kept.parent.mkdir(parents=True)
    kept.touch()
    with pytest.raises(UserError, match="choose a new --out"):
        train(tmp_path, 200)
    assert kept.exists()


def test_a_lost_or_foreign_state_is_refused(trained: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="leave --resume out"):
        train(tmp_path, 600, resume=True)
    with pytest.raises(UserError, match="seed=3, this run has 4"):
        train(trained, 800, seed=4, resume=True)
    train(tmp_path, 200)
    state = tmp_path / "training_state" / "state.safetensors"
    state.write_bytes(state.read_bytes()[:-1] + b"x")
    with pytest.raises(DamagedDataError, match="damaged"):
        train(tmp_path, 600, resume=True)


@pytest.mark.parametrize(
    ("kind", "named"),
    [
        ({"env_steps": 0}, "multiple of 800, .* got 0: the next is 800"),
        ({"env_steps": 1}, "multiple of 800, .* got 1: the next is 800"),
        ({"env_steps": 900}, "the next is 1600"),
        ({"algorithm": "ppo", "env_steps": 900}, "multiple of 1600"),
        ({"algorithm": "sac-dmc", "task": "easy", "env_steps": 900}, "multiple of 4000"),
        ({"seed": -1}, "seed from 0 to"),
        ({"algorithm": "sac-dmc"}, "expected --task of easy, hard"),
        ({"task": "easy"}, "leave --task away"),
        ({"algorithm": "td3-dmc", "task": "easy", "world": "two-room"}, "take sac, td3"),
    ],
)
def test_senseless_requests_are_refused(kind: dict[str, Any], named: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=named):
        Training(tmp_path / "run", **kind)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"steps": 3}, "leave --steps away"),
        ({"data": Path("data")}, "leave --data away"),
        ({"algorithm": "clone", "env_steps": 3}, "leave --env-steps away"),
        ({"algorithm": "clone", "resume": True}, "leave --resume away"),
    ],
)
def test_a_flag_of_another_algorithm_is_refused(
    given: dict[str, Any], named: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=named):
        Baseline(tmp_path / "run", **given).run()
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("algorithm", ["sac", "ppo"])
def test_a_training_leaves_nothing_in_the_temporary_directory(
    algorithm: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    settings = WITHOUT_HINDSIGHT if algorithm == "ppo" else TINY
    train(tmp_path / "out", 200, algorithm=algorithm, settings=settings)
    assert not list((tmp_path / "temporary").iterdir())
