"""Cloning learns a mapping that is known, on goals that lie ahead, and is kept exactly."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from agent.commands.baseline import Baseline
from agent.data import CollectConfig, collect
from agent.data.episodes import Episodes
from agent.errors import DamagedDataError, UserError
from agent.files.bundle import write_bundle
from agent.interfaces import Goals, Seen
from agent.model.encoder import EncoderConfig
from agent.rivals import cloning_training
from agent.rivals.cloning import (
    CLONES,
    GOAL_TICKS,
    CloneConfig,
    CloneController,
    CloneNetwork,
    Frames,
)
from agent.rivals.cloning_training import (
    CloningSettings,
    HindsightSampler,
    fit,
    make_network,
    train_clone,
)
from envs import WorldSpec

SIZE = 16
SPEC = WorldSpec("toy", "plain", (SIZE, SIZE), 2, 0.04)
SMALL = CloneConfig(encoder=EncoderConfig(latent_dim=8, channels=(8, 8, 8), hidden=32), width=32)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def toy(count: int = 24, length: int = 40) -> Episodes:
    """A bright square slides across the picture: the torque says which way, for a whole episode."""
    rng = np.random.default_rng(0)
    pixels = np.zeros((count * length, SIZE, SIZE, 3), np.uint8)
    action = np.full((count * length, 2), np.nan, np.float32)
    for episode in range(count):
        way = rng.choice([-1, 1], size=2)
        for t in range(length):
            row, (x, y) = episode * length + t, 6 + way * (t * 5 // length)
            pixels[row, y : y + 4, x : x + 4] = 255
            if t + 1 < length:
                action[row] = 0.8 * way
    sizes = np.full(count, length)
    states = np.zeros((count * length, 2))
    return Episodes(pixels, action, states, np.arange(count) * length, sizes)


def untrained(seed: int = 0) -> CloneNetwork:
    torch.manual_seed(seed)
    return CloneNetwork(SMALL, SPEC).eval()


def test_goals_lie_ahead_in_the_same_episode_and_frames_before_now() -> None:
    sampler = HindsightSampler(toy(5, 30), [1, 3], goal_ticks=8, stride=2, seed=0)
    before, now, goal = sampler.rows(step=3, count=4000)
    assert set(now // 30) == {1, 3}
    assert (before // 30 == now // 30).all() and (goal // 30 == now // 30).all()
    assert set(goal - now) == set(range(1, 9))
    assert set(now % 30) == set(range(29))  # every frame but the last, which has no torque
    assert ((now - before == 2) | (now % 30 < 2)).all()
    assert (before[now % 30 < 2] % 30 == 0).all()
    frames, torques = sampler.sample(3, 4000)
    assert not torques.isnan().any() and frames.goal.shape == (4000, SIZE, SIZE, 3)


def test_a_sample_depends_on_the_step_and_the_seed_alone() -> None:
    def rows(seed: int, step: int) -> np.ndarray:
        return HindsightSampler(toy(4), [0, 1], 8, 2, seed).rows(step, 50)[1]

    assert (rows(0, 5) == rows(0, 5)).all()
    assert (rows(0, 5) != rows(0, 6)).any() and (rows(0, 5) != rows(1, 5)).any()


def test_learns_which_torque_leads_to_a_goal() -> None:
    """Where the goal lies tells the torque; the current frame alone does not."""
    episodes = toy()
    settings = CloningSettings(steps=120, batch=48, learning_rate=3e-3, warmup_steps=10)
    network = make_network(SMALL, SPEC, episodes, np.arange(18), seed=0)
    last = list(fit(network, episodes, np.arange(18), np.arange(18, 24), settings))[-1]
    assert last.chance > 0.4
    assert last.held_out < 0.1 * last.chance
    still = torch.from_numpy(episodes.pixels[[0]])
    for goal in (39, 40 * 5 + 39):
        wanted = torch.from_numpy(episodes.pixels[[goal]])
        torque = network(Frames(still, still, wanted))[0]
        np.testing.assert_allclose(torque.detach(), episodes.action[goal - 5], atol=0.35)


def test_an_episode_does_not_depend_on_its_company() -> None:
    network, rng = untrained(), np.random.default_rng(0)
    pictures = rng.integers(0, 256, (3, 4, SIZE, SIZE, 3), np.uint8)  # ticks, episodes
    goal = pictures[0, -1]
    together = _drive(CloneController(network), pictures, goal)
    assert together.std(1).min() > 1e-4 and np.abs(together).max() <= 1
    for episode in range(4):
        alone = _drive(CloneController(network), pictures[:, episode : episode + 1], goal)
        np.testing.assert_allclose(alone[:, 0], together[:, episode], atol=1e-5)


def _drive(controller: CloneController, pictures: np.ndarray, goal: np.ndarray) -> np.ndarray:
    """Actions (T, E, A) on ``pictures`` (T, E, h, w, 3)."""
    episodes = pictures.shape[1]
    controller.reset(Goals(np.stack([goal] * episodes)), range(episodes))
    return np.stack([controller.act(Seen(tick)).actions for tick in pictures])


def test_the_controller_reads_what_training_read() -> None:
    """At tick 3 the frame before is that of tick 1; at ticks 0 and 1 that of tick 0."""
    network, rng = untrained(), np.random.default_rng(1)
    pictures = rng.integers(0, 256, (4, SIZE, SIZE, 3), np.uint8)
    goal = rng.integers(0, 256, (SIZE, SIZE, 3), np.uint8)
    sent = _drive(CloneController(network), pictures[:, None], goal)
    for tick, before in enumerate((0, 0, 0, 1)):
        frames = [torch.from_numpy(x[None]) for x in (pictures[before], pictures[tick], goal)]
        expected = network(Frames(*frames)).detach()
        np.testing.assert_allclose(sent[tick], expected, atol=1e-6)


def test_round_trip_is_exact(tmp_path: Path) -> None:
    network = untrained()
    CLONES.save(tmp_path / "clone", network, {"seed": 1})
    loaded = CLONES.load(tmp_path / "clone")
    assert loaded.config == SMALL and not loaded.training
    theirs, ours = loaded.state_dict(), network.state_dict()
    assert all(torch.equal(theirs[name], value) for name, value in ours.items())
    assert {path.name for path in (tmp_path / "clone").iterdir()} == {
        "config.json", "manifest.json", "model.safetensors",
    }  # fmt: skip


def test_damage_and_strangers_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="expected a checkpoint directory"):
        CLONES.load(tmp_path / "none")
    write_bundle(tmp_path / "other", {"config.json": b'{"schema": "lejepa-agent/world-model/1"}'})
    with pytest.raises(UserError, match="world-model/1"):
        CLONES.load(tmp_path / "other")
    CLONES.save(tmp_path / "clone", untrained(), {})
    with pytest.raises(UserError, match="--controller clone"):
        CloneController.load(tmp_path / "clone", "inverse-dynamics")
    weights = tmp_path / "clone" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    with pytest.raises(DamagedDataError, match="damaged"):
        CLONES.load(tmp_path / "clone")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """4 episodes of 21 real frames."""
    out = tmp_path_factory.mktemp("cloning") / "data"
    collect(CollectConfig(out, episodes=4, episode_steps=20, workers=1, seed=5))
    return out


@pytest.mark.parametrize("algorithm", sorted(GOAL_TICKS))
def test_trains_on_recorded_rollouts_and_repeats(
    algorithm: str, data: Path, tmp_path: Path
) -> None:
    settings = CloningSettings(steps=3, batch=8, report_every=2, held_out_samples=8)
    for run in ("a", "b"):
        torch.manual_seed(ord(run))  # the global stream must not matter
        reports = list(train_clone(data, tmp_path / run, algorithm, settings))
        assert [report.step for report in reports] == [2, 3]
    one, other = (CLONES.load(tmp_path / run / "checkpoint") for run in ("a", "b"))
    assert one.config.algorithm == algorithm
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    assert all(torch.equal(mine, theirs) for mine, theirs in pairs)
    assert CloneController.load(tmp_path / "a" / "checkpoint", algorithm).name == algorithm


def test_what_is_kept_is_the_best_on_held_out_episodes(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Learnt by heart from the third report on: errors as if, weights of their own step."""
    errors, seen = iter([0.5, 0.2, 0.4, 0.3]), []

    def error(network: CloneNetwork, *_: object) -> float:
        seen.append({name: value.clone() for name, value in network.state_dict().items()})
        return next(errors)

    monkeypatch.setattr(cloning_training, "action_error", error)
    settings = CloningSettings(steps=4, batch=8, report_every=1, held_out_samples=8)
    reports = list(train_clone(data, tmp_path, "clone", settings))
    assert [report.kept_step for report in reports] == [1, 2, 2, 2]
    kept = CLONES.load(tmp_path / "checkpoint").state_dict()
    assert all(torch.equal(kept[name], value) for name, value in seen[1].items())
    facts = json.loads((tmp_path / "checkpoint" / "config.json").read_text())["facts"]
    assert (facts["step"], facts["held_out_error"], facts["trained_steps"]) == (2, 0.2, 4)
    assert facts["training_s"] == round(reports[-1].seconds, 1)


def test_a_training_cut_short_is_saved(data: Path, tmp_path: Path) -> None:
    settings = CloningSettings(steps=500, batch=8, report_every=1, held_out_samples=8)
    with contextlib.closing(train_clone(data, tmp_path, "clone", settings)) as training:
        next(training)
        (tmp_path / "checkpoint").rename(tmp_path / "away")  # as before the first is written
        other = train_clone(data, tmp_path, "clone", settings)
        with pytest.raises(UserError, match="is writing into"):
            next(other)
        (tmp_path / "away").rename(tmp_path / "checkpoint")
    CLONES.load(tmp_path / "checkpoint")
    with pytest.raises(UserError, match="already holds a run; remove it, or choose"):
        train_clone(data, tmp_path, "clone", settings)


def test_mistakes_are_named(data: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="expected algorithm of"):
        train_clone(data, tmp_path, "clown")
    with pytest.raises(UserError, match="no data set"):
        train_clone(tmp_path / "nowhere", tmp_path)
    with pytest.raises(ValueError, match="steps >= 1"):
        CloningSettings(steps=0)
    with pytest.raises(UserError, match="expected frames uint8"):
        CloneController(untrained()).reset(Goals(np.zeros((1, 4, 4, 3), np.uint8)), [0])


def test_episodes_too_short_for_an_action_are_skipped() -> None:
    episodes = toy(3, 4)
    episodes.ep_len[1] = 1
    _, now, _ = HindsightSampler(episodes, [0, 1, 2], 8, 2, 0).rows(0, 200)
    assert set(now // 4) == {0, 2}


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"data": None}, "expected --data"),
        ({"steps": 0}, "steps >= 1"),
        ({"seed": -1}, "expected seed from 0"),
    ],
    ids=str,
)
def test_the_command_names_mistakes(
    data: Path, tmp_path: Path, given: dict[str, object], named: str
) -> None:
    settings = {"data": data, "steps": 1, "seed": 0} | given
    with pytest.raises(UserError, match=named):
        Baseline(tmp_path, "clone", **settings).run()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("world", "flag"),
    [
        ("two-room", ""),
        ("toy", " --world FILE.py:CLASS"),
        ("./my w.py:Toy", " --world './my w.py:Toy'"),
    ],
)
def test_a_world_that_must_be_named_is_named_in_what_comes_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    world: str, flag: str,
) -> None:  # fmt: skip
    network = CloneNetwork(SMALL, dataclasses.replace(SPEC, world=world))
    CLONES.save(tmp_path / "checkpoint", network, {})
    (tmp_path / "my w.py").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Baseline, "_clone", lambda asked: None)
    Baseline(tmp_path, "clone", data=tmp_path).run()
    said = "".join(capsys.readouterr().out.split("\n"))
    assert said.endswith(f"evaluate --controller clone --checkpoint {tmp_path}{flag}")
