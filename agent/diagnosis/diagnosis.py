"""All checks on one subject: the world's coordinates, or the embeddings of a model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from agent.diagnosis.findings import findings
from agent.diagnosis.gaussianity import Gaussianity, gaussianity
from agent.diagnosis.noise import Noise, linear_residuals, noise
from agent.diagnosis.promise import Promise, promise
from agent.diagnosis.rates import Rates, rates
from agent.diagnosis.readings import Readings
from agent.diagnosis.shapes import Shapes, circles_within, shapes
from agent.diagnosis.stationarity import Stationarity, stationarity
from agent.diagnosis.thinning import Sample, thin
from agent.diagnosis.trajectories import Trajectories
from agent.diagnosis.verdict import Finding
from agent.training.geometry import Geometry

if TYPE_CHECKING:
    from agent.diagnosis.subjects import Embedded

CHECKS = 7


@dataclass(frozen=True)
class Diagnosis:
    """Everything found about ``data``; ``findings`` are the lines to read."""

    data: Trajectories
    sample: Sample
    gaussianity: Gaussianity
    stationarity: Stationarity
    noise: Noise
    model_noise: Noise | None
    rates: Rates
    promise: Promise
    shapes: Shapes | None
    """Of a world's own coordinates, or of the world that an embedding shows, if it is known."""
    circles: list[tuple[int, int]]
    """Pairs of slow directions of an embedding that are circles."""
    geometry: Geometry | None
    readings: Readings | None
    findings: list[Finding] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "findings", findings(self))

    @property
    def about(self) -> str:
        """What was looked at, in a line."""
        data = self.data
        still = f"; left out, as it never changes: {', '.join(data.left_out)}"
        shorter = f"; left out, as they are shorter: {data.shorter} episodes"
        return (
            f"{data.name}: {data.episodes} episodes of {data.frames} rows every "
            f"{data.step_s:.2f} s, {len(data.columns)} columns{still if data.left_out else ''}"
            f"{shorter if data.shorter else ''}"
        )

    @property
    def thinning(self) -> str:
        """How independent samples were found, in a sentence or two."""
        memory = self.sample.memory
        kept = (
            "one row an episode, since a row tells of its whole episode"
            if memory >= self.data.frames - 1
            else f"one row in {memory} ({memory * self.data.step_s:.2f} s)"
        )
        return (
            f"The p-values rest on {len(self.sample)} roughly independent rows: {kept}. The "
            f"Gaussian tests looked at {self.gaussianity.tested} of {self.data.frame.alive} live "
            "directions. Effects are measured on all rows."
        )


def diagnose(
    data: Trajectories,
    seed: int = 0,
    of_model: Embedded | None = None,
    world: Shapes | None = None,
    on_check: Callable[[int], None] = lambda done: None,
) -> Diagnosis:
    """Run all checks; of a model's embeddings, ``of_model`` says what else is known.

    ``world``: the shapes of the world that ``data``, an embedding, show.
    ``on_check`` is told how many of ``CHECKS`` are done. The same seed gives the same result.
    """
    streams = iter(
        [np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(CHECKS + 1)]
    )
    sample = thin(data, next(streams))
    on_check(1)
    gaussian = gaussianity(data, sample, next(streams))
    on_check(2)
    stationary = stationarity(data, next(streams))
    on_check(3)
    additive = noise(data, linear_residuals(data), sample, next(streams))
    stream, model_noise = next(streams), None
    if of_model is not None:
        episodes, rows, dimension = of_model.model_residuals.shape
        assert (episodes, dimension) == (data.episodes, len(data.columns)) and rows < data.frames
        model_noise = noise(data, of_model.model_residuals @ data.frame.map, sample, stream)
    on_check(4)
    lagged = rates(data, sample, next(streams))
    on_check(5)
    promised = promise(data, sample, lagged.shared, next(streams))
    on_check(6)
    known = shapes(data) if data.own_units else world
    circles = [] if data.own_units else circles_within(data)
    on_check(7)
    return Diagnosis(
        data,
        sample,
        gaussian,
        stationary,
        additive,
        model_noise,
        lagged,
        promised,
        known,
        circles,
        None if of_model is None else of_model.geometry,
        None if of_model is None else of_model.readings,
    )
