"""Measures whose answer is known: ranks, probes, and an open loop in a world of counters."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from agent.commands.train import learned
from agent.data import Episodes, RolloutStore
from agent.model.encoder import EncoderConfig
from agent.model.world_model import WorldModel, WorldModelConfig
from agent.training.diagnostics import (
    HORIZON_STEPS,
    ProbeTargets,
    _sigreg,
    diagnose,
    effective_rank,
    fit_probe,
    probe_r2,
    varies,
)
from envs import Column, WorldSpec

TURN = 2 * np.pi

RNG = np.random.default_rng(0)
COUNTERS = WorldSpec(
    "recorded:counters", "drawn", (16, 16), 2, 0.04, (Column("left", "rad", TURN), Column("right"))
)


class Reader(nn.Module):
    """Reads two counters from the first pixel, (…, h, w, 3) -> (…, 2)."""

    def forward(self, frames: Tensor) -> Tensor:
        return frames[..., 0, 0, :2].float() / 10


class Integrator(nn.Module):
    """z_{t+1} = z_t + the actions of the newest block, summed over its ticks."""

    def forward(self, embeddings: Tensor, actions: Tensor) -> Tensor:
        ticks = actions[..., -1, :].unflatten(-1, (-1, 2))
        moved: Tensor = ticks.sum(-2)
        return embeddings[..., -1, :] + moved / 10


def counter_world(steps: int, episodes: int = 4) -> tuple[WorldModel, Episodes]:
    """Frames show the running sum of the actions so far, and the model knows it."""
    sent = RNG.integers(-1, 2, (episodes, steps, 2)).astype(np.float32)
    sums = 100 + np.cumsum(np.pad(sent, ((0, 0), (1, 0), (0, 0))), axis=1)
    pixels = np.zeros((episodes * (steps + 1), 16, 16, 3), np.uint8)
    pixels[:, 0, 0, :2] = sums.reshape(-1, 2)
    nothing = np.full((episodes, 1, 2), np.nan, np.float32)
    angles = sums.reshape(-1, 2) / 50
    lengths = np.full(episodes, steps + 1)
    recorded = Episodes(
        pixels=pixels,
        action=np.concatenate([sent, nothing], 1).reshape(-1, 2),
        state=angles,
        ep_offset=np.cumsum(lengths) - lengths,
        ep_len=lengths,
    )
    model = WorldModel(WorldModelConfig(EncoderConfig(latent_dim=2)), COUNTERS)
    model.encoder, model.predictor = Reader(), Integrator()  # type: ignore[assignment]
    return model, recorded


def test_a_perfect_model_makes_no_error_at_any_horizon() -> None:
    """Were an action block off by one tick, or a frame by one step, there would be some."""
    model, recorded = counter_world(steps=60)
    found = diagnose(model, recorded, [0, 1, 2], [3])
    assert len(found.open_loop_error) == HORIZON_STEPS
    assert max(found.open_loop_error) < 1e-8
    assert (
        found.open_loop_probe_r2.keys()
        == found.probe_r2.keys()
        == {"sin left", "cos left", "right"}
    )


@pytest.mark.parametrize(("steps", "horizon"), [(60, 10), (24, 10), (23, 9), (6, 1)])
def test_short_episodes_shorten_the_open_loop(steps: int, horizon: int) -> None:
    found = diagnose(*counter_world(steps), [0, 1, 2], [3])
    assert len(found.open_loop_error) == horizon


@pytest.mark.parametrize("mode", [True, False])
def test_looking_leaves_the_model_in_its_mode(mode: bool) -> None:
    model, recorded = counter_world(30)
    diagnose(model.train(mode), recorded, [0, 1], [2])
    assert model.training is mode


def test_pictures_left_on_disk_give_the_same(data: Path) -> None:
    torch.manual_seed(0)
    store = RolloutStore.open(data)
    config = WorldModelConfig(EncoderConfig(latent_dim=4, channels=(4, 4, 4), hidden=8))
    model = WorldModel(config, store.header.spec)
    in_memory, on_disk = store.load(), store.load(memory_limit_bytes=0)
    assert not isinstance(on_disk.pixels, np.ndarray)
    assert diagnose(model, in_memory, [0, 1], [7]) == diagnose(model, on_disk, [0, 1], [7])


def test_effective_rank() -> None:
    normal = RNG.standard_normal((20000, 6))
    assert effective_rank(normal) == pytest.approx(6, abs=0.01)
    assert effective_rank(normal @ np.diag([1, 1, 1, 0, 0, 0])) == pytest.approx(3, abs=0.01)
    assert effective_rank(1e-3 * normal) == pytest.approx(6, abs=0.01)  # scale is free
    assert effective_rank(normal[:, :1] * np.ones(6)) == pytest.approx(1, abs=1e-3)
    # Two directions with shares p and 1-p: exp of the entropy.
    unequal = effective_rank(normal[:, :2] * [3.0, 1.0])
    assert unequal == pytest.approx(np.exp(-(0.9 * np.log(0.9) + 0.1 * np.log(0.1))), rel=0.01)


def test_an_embedding_that_never_moves_has_the_lowest_rank() -> None:
    assert effective_rank(np.full((100, 6), 0.7)) == 1.0


def test_the_probe_is_exact_on_a_linear_map_and_useless_on_noise() -> None:
    embeddings, matrix = RNG.standard_normal((500, 5)), RNG.standard_normal((5, 3))
    targets = embeddings @ matrix + [10.0, 0.0, -2.0]
    probe = fit_probe(embeddings[:300], targets[:300])
    np.testing.assert_allclose(probe[:5], matrix, atol=1e-9)
    np.testing.assert_allclose(probe_r2(probe, embeddings[300:], targets[300:]), 1.0)
    noise = RNG.standard_normal((500, 3))
    scores = probe_r2(fit_probe(embeddings[:300], noise[:300]), embeddings[300:], noise[300:])
    assert scores.max() < 0.05


def test_predicting_the_mean_scores_zero() -> None:
    targets = RNG.standard_normal((100, 2))
    probe = np.vstack([np.zeros((3, 2)), targets.mean(0)])
    scores = probe_r2(probe, RNG.standard_normal((100, 3)), targets)
    np.testing.assert_allclose(scores, 0.0, atol=1e-12)


def test_what_comes_round_is_looked_for_as_sine_and_cosine() -> None:
    columns = (
        Column("day", "h", period=24),
        Column("height", "m"),
        Column("angle", period=2 * np.pi),
    )
    targets = ProbeTargets(WorldSpec("recorded:sun", "drawn", (16, 16), 1, 0.1, columns))
    assert targets.names == ("sin day", "sin angle", "cos day", "cos angle", "height")
    found = targets.values(np.array([[6.0, 1.5, np.pi], [24.0, -2.0, np.pi / 2]]))
    np.testing.assert_allclose(found, [[1, 0, 0, -1, 1.5], [0, 1, 1, 0, -2]], atol=1e-12)


def test_a_goal_chooses_what_is_looked_for() -> None:
    columns = (Column("x", "m", tolerance=0.1), Column("speed", "m/s"))
    targets = ProbeTargets(WorldSpec("recorded:cart", "drawn", (16, 16), 1, 0.1, columns))
    assert targets.names == ("x",)
    np.testing.assert_array_equal(targets.values(np.array([[3.0, 9.0]])), [[3.0]])


def test_a_state_that_never_changes_has_no_score() -> None:
    """A probe fits a constant perfectly, which says nothing about the embedding."""
    model, recorded = counter_world(60)
    recorded.state[:, 1] = 0.7
    found = diagnose(model, recorded, [0, 1, 2], [3])
    assert found.probe_r2.keys() == found.open_loop_probe_r2.keys() == {"sin left", "cos left"}
    assert found.unscored == ("right",)
    report = SimpleNamespace(
        step=1, seconds=1.0, frames_per_s=1.0, loss=0.5, diagnostics=found
    )  # fmt: skip
    assert learned(report)["probe R² right"] == "none: it never varies"  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [1e-4, 1.0, 1e4])
def test_rounding_is_no_variance_and_a_small_motion_is(size: float) -> None:
    rounded = np.float32(size) * (1 + 1e-7 * RNG.standard_normal(200))
    moving = 1e-3 * size * RNG.standard_normal(200)
    assert varies(np.column_stack([rounded, moving])).tolist() == [False, True]


def test_without_states_there_is_no_probe() -> None:
    model, recorded = counter_world(60)
    model.spec = dataclasses.replace(COUNTERS, state=())
    nothing = dataclasses.replace(recorded, state=np.empty((len(recorded.state), 0)))
    found = diagnose(model, nothing, [0, 1, 2], [3])
    assert found.probe_r2 == found.open_loop_probe_r2 == {}
    assert max(found.open_loop_error) < 1e-8


class Table(torch.nn.Module):
    """Frames hold the numbers of their rows, embeddings lie in a table."""

    def __init__(self, rows: np.ndarray) -> None:
        super().__init__()
        self.rows = torch.from_numpy(rows.astype(np.float32))

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        first = frames[..., 0, 0, :].long()
        return self.rows[first[..., 0] + 256 * first[..., 1] + 65536 * first[..., 2]]


def shape_of(episodes: int, law: Callable[[np.ndarray], np.ndarray]) -> float:
    """SIGReg of ``law`` of a slow stationary Gaussian motion in 4 dimensions."""
    rng, frames = np.random.default_rng(0), 200
    path = [rng.normal(size=(episodes, 4))]
    for _ in range(frames - 1):
        path.append(0.96 * path[-1] + np.sqrt(1 - 0.96**2) * rng.normal(size=(episodes, 4)))
    rows = law(np.stack(path, 1).reshape(-1, 4))
    number = np.arange(len(rows))
    pixels = np.zeros((len(rows), 16, 16, 3), np.uint8)
    pixels[:, 0, 0] = np.stack([number % 256, number // 256 % 256, number // 65536], 1)
    lengths = np.full(episodes, frames)
    recorded = Episodes(pixels, np.zeros((len(rows), 2), np.float32), np.zeros((len(rows), 0)),
                        np.cumsum(lengths) - lengths, lengths)  # fmt: skip
    model = WorldModel(WorldModelConfig(EncoderConfig(latent_dim=4)), COUNTERS)
    model.encoder = Table(rows)  # type: ignore[assignment]
    return _sigreg(model, recorded, range(episodes))


def test_slow_gaussian_motion_is_gaussian_and_other_laws_are_told_alike() -> None:
    """512 frames of fifteen of these episodes have ten times as much."""
    assert 0.4 < shape_of(256, lambda z: z) < 1.8
    assert -1 < shape_of(60, lambda z: z) < 4
    flat = [shape_of(episodes, lambda z: np.sqrt(3) * np.tanh(z)) for episodes in (60, 256)]
    assert min(flat) > 5 and flat[0] == pytest.approx(flat[1], rel=0.4)


class Smaller(nn.Module):
    """The same counters, a hundredth as large; what comes next is taken to be the same."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, frames: Tensor) -> Tensor:
        return self.share * frames[..., 0, 0, :2].float() / 10


class Still(nn.Module):
    def forward(self, embeddings: Tensor, actions: Tensor) -> Tensor:
        return embeddings[..., -1, :]


def test_a_small_embedding_is_no_better_foreseen_than_a_large_one() -> None:
    model, recorded = counter_world(60)
    model.predictor = Still()  # type: ignore[assignment]
    errors = []
    for share in (1.0, 0.01):
        model.encoder = Smaller(share)  # type: ignore[assignment]
        errors.append(diagnose(model, recorded, [0, 1, 2], [3]).open_loop_error)
    np.testing.assert_allclose(errors[0], errors[1], rtol=1e-3)
    assert errors[0][-1] > 1e-3


def test_without_states_a_model_of_a_world_that_tells_some_is_measured_without_a_probe() -> None:
    model, recorded = counter_world(60)
    stateless = dataclasses.replace(recorded, state=np.empty((len(recorded.state), 0)))
    found = diagnose(model, stateless, [0, 1, 2], [3])
    assert found.probe_r2 == {} and max(found.open_loop_error) < 1e-8


def test_a_recording_that_stands_still_is_no_collapse() -> None:
    model, recorded = counter_world(60)
    rows = recorded.rows(3)
    recorded.pixels[rows] = recorded.pixels[rows][:1]
    assert diagnose(model, recorded, [0, 1, 2], [3]).effective_rank > 1.5
