"""Train an encoder on pairs from a synthetic world, every batch drawn anew, and measure it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from agent.training.optimiser import Muon
from studies.couplings import Couplings
from studies.objectives import Objective
from studies.study import seeds_of
from studies.theory import Pairs, Recovery, recovery
from studies.worlds import Mixing, sample_latents, step

WIDTH, DEPTH = 64, 3
WARMUP = 0.1
EPSILON = 1e-12
"""What the last BatchNorm adds to a variance. torch's own 1e-5 is a way out: trained long enough,
an encoder makes what goes in so small that it counts, and embeds with less than unit variance."""
TEST_PAIRS = 20_000
Sampler = Callable[[int, torch.Generator], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class World:
    """Pairs of latents, what is seen of them, and the correlation that a step leaves.

    ``sample(count, generator)`` gives z and z', both (count, n).
    """

    sample: Sampler
    mixing: Mixing
    rho: float


def ornstein_uhlenbeck(
    mixing: Mixing, rho: float, dimensions: int = 2, shape: float = 2.0
) -> World:
    """The world of the theorems when ``shape`` is 2; see ``studies.worlds``."""

    def sample(count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        latents = sample_latents(count, dimensions, generator, shape)
        return latents, step(latents, rho, generator, shape)

    return World(sample, mixing, rho)


@dataclass(frozen=True)
class Recipe:
    """How an encoder is trained; rates rise for a tenth of the steps, then fall as a cosine."""

    steps: int = 2000
    pairs: int = 256
    rate: float = 3e-3
    matrix_rate: float = 2e-2
    """Muon's, for the MLP's matrices."""
    objective: Objective = field(default_factory=Objective)


def planar_encoder(
    observed: int, embedded: int, seed: int, normalised: bool = True, epsilon: float = EPSILON
) -> nn.Module:
    """An MLP; ``normalised`` over the batch unless the objective is to set the scale itself."""
    torch.manual_seed(seed)  # within a run, which has the process to itself: nn.init is global
    sizes = [observed, *[WIDTH] * DEPTH]
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        layers += [nn.Linear(inputs, outputs), nn.SiLU()]
    layers.append(nn.Linear(WIDTH, embedded))
    return nn.Sequential(*layers, *([_normalised(embedded, epsilon)] if normalised else []))


def matched_encoder(dimensions: int, seed: int, units: int) -> nn.Module:
    """The inverse architecture of a coupling mixing, from the identity, with normalised output."""
    generator = torch.Generator().manual_seed(seed)
    couplings = Couplings(dimensions, generator, strength=0.0, inverse=True, units=units)
    return nn.Sequential(couplings, _normalised(dimensions))


def _normalised(dimensions: int, epsilon: float = EPSILON) -> nn.Module:
    return nn.BatchNorm1d(dimensions, eps=epsilon, affine=False)


def train(encoder: nn.Module, world: World, recipe: Recipe, seed: int) -> nn.Module:
    """Descend the objective on fresh pairs; returns the encoder, in evaluation mode."""
    generator = torch.Generator().manual_seed(seed)
    optimisers = _optimisers(encoder, recipe)
    encoder.train()
    for number in range(recipe.steps):
        factor = _factor(number, recipe.steps)
        for optimiser, peak in optimisers:
            optimiser.zero_grad(set_to_none=True)
            for group in optimiser.param_groups:
                group["lr"] = peak * factor
        pair = torch.cat(world.sample(recipe.pairs, generator))
        embeddings = encoder(world.mixing(pair))
        first, second = embeddings.split(recipe.pairs)
        recipe.objective.loss(first, second, generator).backward()  # type: ignore[no-untyped-call]
        for optimiser, _ in optimisers:
            optimiser.step()
    return encoder.eval()


def _optimisers(encoder: nn.Module, recipe: Recipe) -> list[tuple[torch.optim.Optimizer, float]]:
    matrices = [weight for weight in encoder.parameters() if weight.ndim == 2]
    others = [weight for weight in encoder.parameters() if weight.ndim != 2]
    adam = torch.optim.AdamW(others, recipe.rate, weight_decay=0.0, fused=True)
    found: list[tuple[torch.optim.Optimizer, float]] = [(adam, recipe.rate)]
    if matrices:
        found.append((Muon(matrices, recipe.matrix_rate), recipe.matrix_rate))
    return found


def _factor(number: int, steps: int) -> float:
    """Share of the peak rate at a step, in (0, 1]."""
    done = number / steps
    if done < WARMUP:
        return (number + 1) / (WARMUP * steps + 1)
    return 0.5 * (1 + math.cos(math.pi * (done - WARMUP) / (1 - WARMUP)))


def fresh_pairs(encoder: nn.Module, world: World, seed: int, count: int = TEST_PAIRS) -> Pairs:
    """Fresh pairs of the world with their embeddings."""
    generator = torch.Generator().manual_seed(seed)
    latents, partners = world.sample(count, generator)
    with torch.no_grad():
        embeddings, others = (encoder(world.mixing(z)) for z in (latents, partners))
    arrays = (np.asarray(a.numpy(), np.float64) for a in (latents, partners, embeddings, others))
    return Pairs(*arrays)


def learn(encoder: nn.Module, world: World, recipe: Recipe, seed: int) -> Recovery:
    """Train ``encoder`` and measure it, on streams that ``seed`` splits into."""
    training, testing = seeds_of(seed, 1, count=2)
    train(encoder, world, recipe, training)
    return recovery(fresh_pairs(encoder, world, testing), world.rho)
