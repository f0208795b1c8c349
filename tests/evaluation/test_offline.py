"""On recordings of a point that moves by its actions, its own law predicts and plans perfectly."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from agent.commands.checkpoints import holdout_of_checkpoint
from agent.control.mpc import MPCConfig, WorldModelController
from agent.data import RolloutStore, RolloutWriter
from agent.errors import UserError
from agent.evaluation.offline import HORIZON_STEPS, Offline, evaluate_offline
from agent.files.json_files import write_json
from agent.model.checkpoint import save_checkpoint
from agent.model.encoder import EncoderConfig
from agent.model.predictor import PredictorConfig
from agent.model.world_model import WorldModel, WorldModelConfig
from envs import SpecError, WorldSpec

PACE, SIDE, TICKS = 0.02, 16, 80
SPEC = WorldSpec("recorded:point", "drawn", (SIDE, SIDE), 2, 0.05)


class ReadPosition(nn.Module):
    """(..., h, w, 3) -> (..., 2): the position is written in the first two pixels, in 16 bits."""

    def forward(self, frames: Tensor) -> Tensor:
        pixels = frames[..., 0, :2, :].float()
        return (pixels[..., 0] * 256 + pixels[..., 1]) / 8192 - 4


class Law(nn.Module):
    """Two ticks of the point; at ``pace`` 0 nothing moves, below it all moves backwards."""

    def __init__(self, pace: float) -> None:
        super().__init__()
        self.pace = pace

    def forward(self, embeddings: Tensor, actions: Tensor) -> Tensor:
        moves: Tensor = actions[..., -1, :].unflatten(-1, (2, 2)).sum(-2)
        return embeddings[..., -1, :] + self.pace * moves


def model_of(pace: float, spec: WorldSpec = SPEC) -> WorldModel:
    encoder = EncoderConfig(latent_dim=2, channels=(4, 4, 4), hidden=8)
    model = WorldModel(WorldModelConfig(encoder, PredictorConfig(context=3)), spec)
    model.encoder, model.predictor = ReadPosition(), Law(pace)  # type: ignore[assignment]
    return model.eval()


def drawn(positions: np.ndarray) -> Any:
    frames = np.zeros((len(positions), SIDE, SIDE, 3), np.uint8)
    numbers = np.round((positions + 4) * 8192).astype(np.int64)
    frames[:, 0, :2, 0], frames[:, 0, :2, 1] = numbers // 256, numbers % 256
    return frames


def record(out: Path, ticks: int = TICKS, spec: WorldSpec = SPEC) -> Path:
    """Forty episodes, each with one action throughout, as strong as it may be."""
    rng = np.random.default_rng(3)
    with RolloutWriter(out, spec) as writer:
        for _ in range(40):
            action = rng.choice([-1.0, 1.0], 2)
            actions = np.repeat(action[None], ticks, 0)
            path = rng.uniform(-1, 1, 2) + PACE * np.arange(ticks + 1)[:, None] * action
            writer.add(drawn(path), actions)
    return out


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record(tmp_path_factory.mktemp("offline") / "data")


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def perfect(data: Path) -> Offline:
    return evaluate_offline(model_of(PACE), data)


@pytest.fixture(scope="module")
def ignorant(data: Path) -> Offline:
    return evaluate_offline(model_of(0.0), data)


def test_the_true_law_predicts_and_tells_futures_apart(perfect: Offline) -> None:
    assert len(perfect.open_loop_error) == HORIZON_STEPS
    assert max(perfect.open_loop_error) < 1e-6 < min(perfect.still_error)
    assert (perfect.true_future_first, perfect.mean_reciprocal_rank) == (1.0, 1.0)


def test_the_true_law_plans_what_was_done(perfect: Offline) -> None:
    assert perfect.action_error_share is not None and perfect.action_error_share < 0.1


def test_pictures_that_the_guard_would_hold_are_planned_for(
    perfect: Offline, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Zero actions of a guard are no plans."""
    asked = []

    def noted(model: Any, config: MPCConfig) -> WorldModelController:
        asked.append(config.guarded)
        return WorldModelController(model, config=config)

    monkeypatch.setattr("agent.evaluation.offline.WorldModelController", noted)
    assert evaluate_offline(model_of(PACE), data) == perfect and asked == [False]


def test_random_actions_are_those_of_all_recordings(tmp_path: Path) -> None:
    """Each episode always does the same, another thing than the others: what is held out too."""
    with RolloutWriter(tmp_path / "data", SPEC) as writer:
        for episode in range(10):
            actions = np.full((TICKS, 2), episode / 10)
            places = np.cumsum(np.vstack([np.zeros(2), PACE * actions]), 0)
            writer.add(drawn(places), actions)
    found = evaluate_offline(model_of(0.0), tmp_path / "data", holdout_fraction=0.1)
    assert 0 < (found.action_error_share_of_random or 0) < 3


def test_who_takes_each_action_for_its_opposite_plans_the_opposite(data: Path) -> None:
    assert (evaluate_offline(model_of(-PACE), data).action_error_share or 0) > 1.5


def test_what_was_done_throughout_is_no_measure_of_plans(tmp_path: Path) -> None:
    """Always the same action, or none: what is planned is over nothing."""
    for name, action in (("same", 0.5), ("none", 0.0)):
        with RolloutWriter(tmp_path / name, SPEC) as writer:
            for first in np.linspace(-1, 0, 20):
                path = first + PACE * action * np.arange(TICKS + 1)
                writer.add(drawn(np.stack([path, path], 1)), np.full((TICKS, 2), action))
        found = evaluate_offline(model_of(PACE), tmp_path / name)
        assert found.action_error_share_of_random is None
        assert (found.action_error_share is None) is (action == 0)
        assert "never vary" in found.facts()["planned against recorded action"]
        write_json(tmp_path / f"{name}.json", found.to_json())


def test_who_thinks_nothing_moves_is_as_good_as_standing_still(ignorant: Offline) -> None:
    assert ignorant.still_error == pytest.approx(ignorant.open_loop_error)


def test_who_thinks_nothing_moves_cannot_tell_futures_apart(ignorant: Offline) -> None:
    assert ignorant.true_future_first < 0.5
    assert ignorant.mean_reciprocal_rank < 0.8


def test_the_error_of_standing_still_grows_as_the_square_of_time(ignorant: Offline) -> None:
    errors = np.array(ignorant.open_loop_error)
    steps = np.arange(1, HORIZON_STEPS + 1)
    np.testing.assert_allclose(errors / errors[0], steps**2, rtol=0.01)
    assert errors[-1] > 0.01


def test_errors_are_shares_of_the_variance_of_all_recordings(ignorant: Offline, data: Path) -> None:
    read = RolloutStore.open(data).load()
    frames = torch.from_numpy(read.pixels[np.arange(len(read.action))])
    spread = float(ReadPosition()(frames).var(0).mean())
    assert ignorant.open_loop_error[0] == pytest.approx((2 * PACE) ** 2 / spread, rel=0.05)


def test_cases_and_facts_are_told(perfect: Offline, tmp_path: Path) -> None:
    held_out, span = 2, (3 - 1 + HORIZON_STEPS) * 2
    assert perfect.cases == held_out * (TICKS + 1 - span)
    assert perfect.facts()["true future nearest, of 64"] == "100.0 % (by chance 1.6)"
    write_json(tmp_path / "offline.json", perfect.to_json())


def test_the_same_seed_finds_the_same(data: Path, perfect: Offline) -> None:
    assert evaluate_offline(model_of(PACE), data) == perfect


def test_recordings_of_another_world_are_refused(data: Path) -> None:
    other = WorldSpec("recorded:robot", "drawn", (SIDE, SIDE), 2, 0.05)
    with pytest.raises(SpecError, match="'recorded:robot', got 'recorded:point' from the record"):
        evaluate_offline(model_of(PACE, other), data)


def test_episodes_too_short_to_look_ahead_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"of more than 6 env steps.*has 5.*record longer"):
        evaluate_offline(model_of(PACE), record(tmp_path / "shorter", ticks=5))


def test_short_episodes_are_looked_ahead_in_as_far_as_they_go(tmp_path: Path) -> None:
    found = evaluate_offline(model_of(PACE), record(tmp_path / "short", ticks=18))
    assert 0 < len(found.open_loop_error) < HORIZON_STEPS
    assert max(found.open_loop_error) < 1e-6 and "1 step" in " ".join(found.facts())


def test_what_tells_nothing_apart_wins_nothing(tmp_path: Path) -> None:
    with RolloutWriter(tmp_path / "still", SPEC) as writer:
        for _ in range(20):
            writer.add(drawn(np.zeros((TICKS + 1, 2))), np.zeros((TICKS, 2)))
    found = evaluate_offline(model_of(PACE), tmp_path / "still")
    assert found.true_future_first == 0.0
    assert found.mean_reciprocal_rank == pytest.approx(1 / (1 + (found.futures - 1) / 2))


def test_what_the_training_held_out_is_what_is_measured_on(tmp_path: Path) -> None:
    for facts, share in (({}, 0.05), ({"training": {"holdout_fraction": 0.4}}, 0.4)):
        place = tmp_path / f"held-{share}"
        save_checkpoint(place, WorldModel(WorldModelConfig(EncoderConfig(4)), SPEC), facts)
        assert holdout_of_checkpoint(place) == share
