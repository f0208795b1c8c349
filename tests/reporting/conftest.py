"""Invented results, metrics and clips, and a world simple enough to foresee exactly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from agent.data import Episodes
from agent.model.encoder import EncoderConfig
from agent.model.predictor import PredictorConfig
from agent.model.world_model import WorldModel, WorldModelConfig
from agent.reporting.making import Stage
from agent.reporting.report import Clip, RunReport
from agent.reporting.style import new_figure
from envs import Column, WorldSpec

SIDE_PX, STEPS, EPISODES = 16, 60, 3
SPEC = WorldSpec(
    world="colours", look="plain", image_size=(SIDE_PX, SIDE_PX), action_dim=2, step_s=0.04,
    state=(
        Column("hue", "rad", 2 * np.pi, tolerance=0.05),
        Column("depth", "rad", low=-2.0, high=2.0, tolerance=0.05),
    ),
)  # fmt: skip


class ColourEncoder(nn.Module):
    """Red and green are the two coordinates."""

    def forward(self, frames: Tensor) -> Tensor:
        return frames.float().mean((-3, -2))[..., :2]


class SummingPredictor(nn.Module):
    """Each action moves its coordinate by its value, K times a model step."""

    def forward(self, embeddings: Tensor, actions: Tensor) -> Tensor:
        moved = actions[..., -1, :].unflatten(-1, (-1, 2)).sum(-2)
        return embeddings[..., -1, :] + moved


@pytest.fixture
def toy_model() -> WorldModel:
    """Foresees ``toy_episodes`` without error."""
    encoder = EncoderConfig(latent_dim=2, channels=(2, 2, 2), hidden=4)
    config = WorldModelConfig(encoder, PredictorConfig(context=3, width=4, blocks=1))
    model = WorldModel(config, SPEC)
    model.encoder, model.predictor = ColourEncoder(), SummingPredictor()
    return model.eval()


@pytest.fixture
def toy_episodes() -> Episodes:
    """Walks over whole numbers, no position visited twice in one episode: first is its number."""
    rng = np.random.default_rng(0)
    moves = rng.integers(1, 4, (EPISODES, STEPS + 1, 2))
    walks = moves.cumsum(1) - moves + np.array([0, 20, 40])[:, None, None]  # (E, T, 2)
    positions = walks.reshape(-1, 2)
    pixels = np.zeros((len(positions), SIDE_PX, SIDE_PX, 3), np.uint8)
    pixels[..., :2] = positions[:, None, None]
    action = moves.astype(np.float32)
    action[:, -1] = np.nan
    length = np.full(EPISODES, STEPS + 1)
    return Episodes(
        pixels=pixels,
        action=action.reshape(-1, 2),
        state=positions / 100.0,
        ep_offset=np.cumsum(length) - length,
        ep_len=length,
    )


class ColourWorld:
    """Its state is a colour: red is the first number, green the second, 40 shades a unit."""

    spec = SPEC

    def picture(self, state: Any) -> Any:
        frame = np.zeros((SIDE_PX, SIDE_PX, 3), np.uint8)
        frame[..., :2] = np.rint(40 * (np.asarray(state) + 3.15))
        return frame

    def sample_state(self, rng: np.random.Generator) -> Any:
        return rng.uniform(-2.0, 2.0, 2)


@pytest.fixture
def colour_world() -> Any:
    return ColourWorld()


def make_result(controller: str, protocol: str, **changes: Any) -> dict[str, Any]:
    """A result as ``evaluate --json`` writes it, with figures no two of which are alike."""
    return {
        "controller": controller, "protocol": protocol, "episodes": 300, "seed": 4,
        "solved_at_start": 2,
        "first_touch": {"rate": 0.9762, "low": 0.9513, "high": 0.9894},
        "held": {"rate": 0.8421, "low": 0.7968, "high": 0.8789},
        "final_error": {"median": 0.0146, "p90": 0.0873, "unit": "rad"},
        "world": "colours", "step_s": 0.04, "rule": f"the rule of {protocol}",
        "steps_to_success": {"median": 17.0},
        "decision_ms": {"p50": 22.71, "p95": 31.44},
        "checkpoint_sha256": "c0ffee" * 10, "command": f"evaluate --controller {controller}",
        "hardware": "a computer", "date": "2026-01-02T03:04:05+00:00", "wall_clock_s": 75.2,
        "per_episode": [],
        "bought_with": {"env_steps": 76_000, "training_s": 437.0, "memory_mb": None},
    } | changes  # fmt: skip


NO_TRIAL = {"rate": None, "low": None, "high": None}


@pytest.fixture
def results() -> list[dict[str, Any]]:
    untried = {
        "first_touch": NO_TRIAL, "held": NO_TRIAL,
        "final_error": {"median": None, "p90": None, "unit": "rad"},
        "steps_to_success": {"median": None},
        "decision_ms": {"p50": None, "p95": None}, "checkpoint_sha256": None,
        "command": None, "wall_clock_s": None, "bought_with": None,
    }  # fmt: skip
    second = {"rate": 0.7651, "low": 0.7138, "high": 0.8096}
    return [
        make_result("world-model", "lewm"),
        make_result("noop", "lewm", **untried),
        make_result("world-model", "anywhere", first_touch=second),
    ]


@pytest.fixture
def metrics() -> list[dict[str, Any]]:
    targets = ("sin shoulder", "sin wrist", "cos shoulder", "cos wrist")
    lines: list[dict[str, Any]] = []
    for step in range(10, 101, 10):
        line: dict[str, Any] = {"step": step, "loss": 10 / step, "sigreg": 2.0}
        line |= {"one_step": 1 / step, "multi_step": 3 / step}
        if step % 50 == 0:
            line["diagnostics"] = {
                "effective_rank": step / 10, "sigreg": 1.5,
                "probe_r2": {name: step / 100 - 0.1 * i for i, name in enumerate(targets)},
                "open_loop_error": [ahead / step for ahead in range(1, 11)],
                "open_loop_probe_r2": dict.fromkeys(targets, -0.5),
            }  # fmt: skip
        lines.append(line)
    return lines


@pytest.fixture
def run_report(results: Any, metrics: Any, tmp_path: Path) -> RunReport:
    videos = [tmp_path / f"film-{number}.webm" for number in range(3)]
    for number, video in enumerate(videos):
        video.write_bytes(b"\x1a\x45\xdf\xa3" + bytes([number]))
    return RunReport(
        spec=SPEC,
        results=results,
        metrics=metrics,
        strip=new_figure(1, 1),
        landscape=new_figure(1, 1),
        clips=[Clip(video, f"held, error 0.01{n} rad") for n, video in enumerate(videos)],
        stages=[Stage("collect", 44.0, "collect --out d"), Stage("train", 437.0, "train --out r")],
        hardware="Abacus, 2 cores",
        versions={"torch": "2.13.0", "mujoco": "3.17.0"},
        date="2 January 2026",
    )


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)
