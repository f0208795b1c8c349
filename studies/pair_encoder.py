"""An encoder learns from pairs of pictures: two views, no predictor.

    loss = log E‖h(x') − h(x)‖² + λ · SIGReg(h(x), h(x'))

(Balestriero & LeCun 2025, arXiv:2511.08544, Sec. 5; Klindt, LeCun & Balestriero 2026,
arXiv:2605.26379, Sec. 2), or another of :mod:`studies.objectives` in its place.
The encoder is the world model's own, and so is its optimiser.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray

from agent.interfaces import Image
from agent.model.encoder import ConvEncoder, EncoderConfig
from agent.training.optimiser import WorldModelOptimiser
from agent.training.settings import TrainingConfig
from studies.objectives import Objective
from studies.study import Settings, seeds_of

Indices = NDArray[np.int64]
PairSampler = Callable[[np.random.Generator, int], tuple[Indices, Indices]]
"""(rng, batch) -> two index arrays (batch,) into the frames, a pair a column."""
_DIRECTIONS = 64  # of SIGReg
_STATISTICS_FRAMES = 2048
_FRAMES_AT_ONCE = 1024


@dataclass(frozen=True)
class PairTraining:
    """``steps`` of ``batch`` pairs; ``sigreg_weight`` is λ, ``latent_dim`` D."""

    steps: int
    batch: int = 256
    objective: str = "lejepa"
    sigreg_weight: float = 0.15
    latent_dim: int = 2
    channels: tuple[int, int, int] = (16, 32, 64)
    hidden: int = 256
    learning_rate: float = 3e-3
    matrix_learning_rate: float = 0.02
    seed: int = 0

    @classmethod
    def of(cls, settings: Settings) -> PairTraining:
        """The training that a run's settings ask for; what they do not say is as it is here."""
        said = {f.name: settings[f.name] for f in fields(cls) if f.name in settings}
        said["channels"] = tuple(settings["channels"])
        return cls(**{**said, "seed": seeds_of(settings["seed"], 2)[0]})


def train_on_pairs(frames: Image, draw_pairs: PairSampler, config: PairTraining) -> ConvEncoder:
    """An encoder in evaluation mode, trained on pairs of ``frames`` uint8 (N, h, w, 3)."""
    encoder = _new_encoder(frames, config)
    optimiser = WorldModelOptimiser(encoder, _schedule(config))
    objective = Objective(config.objective, config.sigreg_weight, _DIRECTIONS, relative=True)
    rng = np.random.default_rng(np.random.SeedSequence(config.seed, spawn_key=(0,)))
    generator = torch.Generator().manual_seed(config.seed)
    for step in range(config.steps):
        here, there = draw_pairs(rng, config.batch)
        both = _tensor(frames[np.concatenate([here, there])])
        first, second = encoder(both).chunk(2)  # (B, D) each
        optimiser.step(objective.loss(first, second, generator), step)
    return encoder.eval()


@torch.no_grad()
def embed(encoder: ConvEncoder, frames: Image) -> NDArray[np.float64]:
    """Embeddings float64 (N, D) of ``frames``."""
    parts = [
        encoder(_tensor(frames[first : first + _FRAMES_AT_ONCE]))
        for first in range(0, len(frames), _FRAMES_AT_ONCE)
    ]
    return torch.cat(parts).double().numpy()


def _tensor(frames: Image) -> torch.Tensor:
    return torch.from_numpy(np.array(frames))  # a copy: what lies on disk is read-only


def _new_encoder(frames: Image, config: PairTraining) -> ConvEncoder:
    sizes = EncoderConfig(config.latent_dim, config.channels, config.hidden)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        encoder = ConvEncoder(sizes, frames.shape[1:3])
    step = max(1, len(frames) // _STATISTICS_FRAMES)
    encoder.set_pixel_statistics(_tensor(frames[::step]))
    return encoder.train()


def _schedule(config: PairTraining) -> TrainingConfig:
    return TrainingConfig(
        steps=config.steps,
        learning_rate=config.learning_rate,
        matrix_learning_rate=config.matrix_learning_rate,
    )
