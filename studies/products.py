"""Worlds that are products of circles, intervals and lines, each diffusing at a rate of its own.

A latent is an angle in [−π, π) on a circle, a phase in [0, π] between an interval's stops, a
number of variance 1 on a line. ``rate`` is that of the slowest feature (cos and sin of the angle,
cos of the phase, the number itself): it is correlated by exp(−rate) after a step, exactly. What
is seen of a latent has no jump, and is bent by random couplings of all of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from agent.diagnosis.circles import TIE, Coordinate, Feature, Kind, slowest
from agent.errors import UserError
from studies.couplings import fixed_mixing
from studies.worlds import step

MIXING_STRENGTH = 0.5
Draw = Callable[[int, torch.Generator], Tensor]
Move = Callable[[Tensor, float, torch.Generator], Tensor]


@dataclass(frozen=True)
class Shape:
    """How latents (samples,) of a kind are drawn, moved on, shown and probed."""

    draw: Draw
    move: Move
    seen: Callable[[Tensor], Tensor]
    """(samples, numbers), unit variance each."""
    features: Callable[[Tensor, int], Tensor]
    """Its features (samples, copies) of a degree of 1 or more, unit variance each."""


def _uniform(low: float, high: float) -> Draw:
    return lambda count, generator: low + (high - low) * torch.rand(count, generator=generator)


def _pushed(latents: Tensor, rate: float, generator: torch.Generator) -> Tensor:
    return latents + math.sqrt(2 * rate) * torch.randn(latents.shape, generator=generator)


def _round(latents: Tensor, rate: float, generator: torch.Generator) -> Tensor:
    return torch.remainder(_pushed(latents, rate, generator) + math.pi, 2 * math.pi) - math.pi


def _reflected(latents: Tensor, rate: float, generator: torch.Generator) -> Tensor:
    return _round(latents, rate, generator).abs()  # the circle folded in half has the stops


def _pulled(latents: Tensor, rate: float, generator: torch.Generator) -> Tensor:
    return step(latents[:, None], math.exp(-rate), generator)[:, 0]


def _harmonics(angle: Tensor, degree: int) -> Tensor:
    return math.sqrt(2) * torch.stack([(degree * angle).cos(), (degree * angle).sin()], 1)


def _cosine(phase: Tensor, degree: int) -> Tensor:
    return math.sqrt(2) * (degree * phase).cos()[:, None]


def _hermite(number: Tensor, degree: int) -> Tensor:
    before, now = torch.zeros_like(number), torch.ones_like(number)
    for d in range(degree):
        before, now = now, (number * now - math.sqrt(d) * before) / math.sqrt(d + 1)
    return now[:, None]


SHAPES: Mapping[Kind, Shape] = {
    "circle": Shape(
        _uniform(-math.pi, math.pi), _round, lambda angle: _harmonics(angle, 1), _harmonics
    ),
    "interval": Shape(
        _uniform(0.0, math.pi), _reflected,
        lambda phase: math.sqrt(12) * (phase[:, None] / math.pi - 0.5), _cosine,
    ),
    "line": Shape(
        lambda count, generator: torch.randn(count, generator=generator), _pulled,
        lambda number: number[:, None], _hermite,
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Product:
    """The world of ``coordinates``, mixed by the random couplings that ``seed`` draws."""

    coordinates: tuple[Coordinate, ...]
    seed: int = 0

    @property
    def observed(self) -> int:
        """Numbers in an observation: even, as couplings want it."""
        copies = sum(one.copies for one in self.coordinates)
        return copies + copies % 2

    def sample(self, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Latents and those a step later, (count, coordinates) each."""
        here, there = [], []
        for one in self.coordinates:
            shape = SHAPES[one.kind]
            here.append(shape.draw(count, generator))
            there.append(shape.move(here[-1], one.rate, generator))
        return torch.stack(here, 1), torch.stack(there, 1)

    def mixing(self) -> Callable[[Tensor], Tensor]:
        """Latents (samples, coordinates) to observations (samples, observed)."""
        couplings = fixed_mixing(self.observed, self.seed, MIXING_STRENGTH)
        return lambda latents: couplings(self._seen(latents))

    def first(self, number: int, latents: Tensor) -> Tensor:
        """Slowest features (samples, copies) of coordinate ``number``."""
        return SHAPES[self.coordinates[number].kind].features(latents[:, number], 1)

    def slowest(self, outputs: int) -> list[tuple[int, ...]]:
        """Degrees, one a coordinate, of each of the ``outputs`` slowest features, as below."""
        found: list[tuple[int, ...]] = []
        for feature in slowest(self.coordinates):
            found += [feature.degrees] * feature.copies
            if len(found) >= outputs:
                break
        return found[:outputs]

    def embedding(self, latents: Tensor, outputs: int) -> Tensor:
        """The ``outputs`` slowest features (samples, outputs) of the world, whitened as they are.

        Where only some of equally slow ones fit, it is the first of them.
        """
        kinds = dict.fromkeys(self.slowest(outputs))  # a circle's two have the same degrees
        columns = torch.cat([self._product(latents, degrees) for degrees in kinds], 1)
        return columns[:, :outputs]

    def _product(self, latents: Tensor, degrees: tuple[int, ...]) -> Tensor:
        product = latents.new_ones(len(latents), 1)
        for one, degree, column in zip(self.coordinates, degrees, latents.unbind(1), strict=True):
            if degree:
                factor = SHAPES[one.kind].features(column, degree)
                product = (product[:, :, None] * factor[:, None]).flatten(1)
        return product

    def _seen(self, latents: Tensor) -> Tensor:
        columns = zip(self.coordinates, latents.unbind(1), strict=True)
        seen = torch.cat([SHAPES[one.kind].seen(column) for one, column in columns], 1)
        missing = self.observed - seen.shape[1]
        return torch.cat([seen, seen.new_zeros(len(seen), missing)], 1)


def predicted_r2(coordinates: Sequence[Coordinate], outputs: int) -> list[float]:
    """Linear R² of each coordinate's first features in the ``outputs`` slowest features.

    1 or 0 away from ties. Where only s of m features of one rate fit, any s-dimensional part of
    their span changes equally little, and s/m is the mean over all such parts.

    Raises:
        UserError: unless there is an output or more.
    """
    if outputs < 1:
        raise UserError(f"expected one output or more, got {outputs}")
    found, left = [0.0] * len(coordinates), outputs
    for group in _tied(slowest(coordinates)):
        copies = sum(feature.copies for feature in group)
        for feature in group:
            if sum(feature.degrees) == 1:
                found[feature.degrees.index(1)] = min(left, copies) / copies
        left -= copies
        if left <= 0:
            break
    return found


def _tied(features: Iterator[Feature]) -> Iterator[list[Feature]]:
    """Features grouped by their rate."""
    group: list[Feature] = []
    for feature in features:
        if group and feature.rate > group[0].rate * (1 + TIE):
            yield group
            group = []
        group.append(feature)
