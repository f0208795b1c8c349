"""Study ``circle-law``: from Gaussian joints to joints that go round, and what SIGReg says there.

``sweep``: two joints whose angles spread from a small arc to the whole circle, learned by LeJEPA
and by whitening with as many outputs as joints, and with as many as sines and cosines. Up to where
does SIGReg help, and from where on does it hinder? ``yardstick``: SIGReg of the slowest whitened
features of some worlds, no encoder at all: the best that those worlds allow.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from agent.diagnosis.circles import Coordinate, Kind
from studies.intervals import mean_interval
from studies.learning import Recipe, World, fresh_pairs, planar_encoder, train
from studies.metrics import linear_r2
from studies.objectives import Objective
from studies.products import Product
from studies.study import Preset, Row, Settings, Study, bar, seeds_of
from studies.wound import SLOW_RATE, Wound
from studies.yardsticks import expected_statistic

SAMPLES = 512  # of SIGReg in training and in the reports of the agent
SPREADS = {
    "quick": (0.3, 0.7, 1.2, 1.8, 3.0),
    "full": (0.3, 0.5, 0.7, 0.9, 1.2, 1.5, 1.8, 2.4, 3.0),
}
ENDS = (0.3, 3.0)
STEPS = {"quick": 1000, "full": 4000}
WEIGHT = 1e-2
LAW_ROWS = 16_384
LAWS: dict[str, tuple[Kind, ...]] = {
    "Gaussian": ("line",),
    "circle": ("circle",),
    "circle and interval": ("circle", "interval"),
    "two circles": ("circle", "circle"),
}
RATE_RATIO = 1.8  # of the second coordinate, about what a random motion of the arm has
YARDSTICKS = (
    ("Gaussian", 2, 0, 0), ("circle", 2, 0, 0), ("circle", 2, 6, 0), ("circle", 2, 30, 0),
    ("circle", 8, 0, 0), ("circle", 32, 0, 0), ("circle and interval", 3, 0, 0),
    ("circle and interval", 8, 0, 0), ("circle and interval", 32, 0, 0),
    ("circle and interval", 23, 0, 9), ("two circles", 4, 0, 0), ("two circles", 32, 0, 0),
)  # fmt: skip
"""Law, number of slowest features, of free Gaussian outputs, and of dead ones."""


def jobs(preset: Preset) -> list[dict[str, Any]]:
    """Every spread, objective and number of outputs; three seeds at both ends; each yardstick."""
    sweep = [
        {"part": "sweep", "spread": spread, "objective": objective, "outputs": outputs,
         "seed": seed, "steps": STEPS[preset], "pairs": 256}
        for objective in ("lejepa", "whitening") for outputs in (2, 4)
        for spread in SPREADS[preset] for seed in range(3)
        if seed == 0 or spread in ENDS or preset == "full"
    ]  # fmt: skip
    yardsticks = [
        {"part": "yardstick", "law": law, "features": features, "free": free, "dead": dead,
         "seed": 0}
        for law, features, free, dead in YARDSTICKS
    ]  # fmt: skip
    return yardsticks + sweep


def measure(settings: Settings, scratch: Path) -> dict[str, Any]:
    """One trained encoder, or one yardstick."""
    return _yardstick(settings) if settings["part"] == "yardstick" else _trained(settings)


def _yardstick(settings: Settings) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(seeds_of(settings["seed"], 1)[0])
    rows = slowest_features(settings["law"], settings["features"], generator)
    free = torch.randn((len(rows), settings["free"]), generator=generator)
    dead = rows.new_zeros(len(rows), settings["dead"])
    embeddings = torch.cat([rows, free, dead], 1)
    return {"sigreg": expected_statistic(embeddings, SAMPLES, generator)}


def slowest_features(law: str, outputs: int, generator: torch.Generator) -> Tensor:
    """Samples (LAW_ROWS, outputs) of the slowest features of a world in ``LAWS``."""
    if law == "Gaussian":
        return torch.randn((LAW_ROWS, outputs), generator=generator)
    rates = (1.0, RATE_RATIO)[: len(LAWS[law])]
    parts = zip(LAWS[law], rates, strict=True)
    product = Product(tuple(Coordinate(kind, kind, rate) for kind, rate in parts))
    return product.embedding(product.sample(LAW_ROWS, generator)[0], outputs)


def _trained(settings: Settings) -> dict[str, Any]:
    seed = settings["seed"]
    joints = Wound(settings["spread"], seeds_of(seed, 3)[0])
    world = World(joints.sample, joints.mixing(), rho=1 - SLOW_RATE)
    objective = Objective(settings["objective"], WEIGHT)
    recipe = Recipe(settings["steps"], settings["pairs"], objective=objective)
    training, testing = seeds_of(seed, 1, count=2)
    encoder = planar_encoder(4, settings["outputs"], seeds_of(seed, 0)[0])
    pairs = fresh_pairs(train(encoder, world, recipe, training), world, testing)
    turned, h = np.remainder(pairs.latents + np.pi, 2 * np.pi) - np.pi, pairs.embeddings
    generator = torch.Generator().manual_seed(seeds_of(seed, 2)[0])
    return {
        "r2_angle": [linear_r2(h, turned[:, [i]]) for i in range(2)],
        "r2_sine": [linear_r2(h, np.sin(turned[:, [i]])) for i in range(2)],
        "r2_cosine": [linear_r2(h, np.cos(turned[:, [i]])) for i in range(2)],
        "sigreg": expected_statistic(torch.from_numpy(h).float(), SAMPLES, generator),
    }


def conclude(rows: Sequence[Row]) -> dict[str, Any]:
    """R² over the spread, the yardsticks, and where the better objective changes."""
    sweep = [row for row in rows if row["part"] == "sweep"]
    found: dict[str, Any] = {}
    for row in sweep:
        columns = found.setdefault(row["objective"], {}).setdefault(str(row["outputs"]), {})
        columns.setdefault(str(row["spread"]), []).append(row)
    table = {objective: {outputs: {spread: _means(group) for spread, group in spreads.items()}
                         for outputs, spreads in widths.items()}
             for objective, widths in found.items()}  # fmt: skip
    gaussian, circle = (str(spread) for spread in ENDS)
    recovered = table["lejepa"]["2"][gaussian]["r2_angle_worse"]["mean"]
    round_ = table["whitening"]["4"][circle]["r2_circle_worse"]["mean"]
    lost = table["lejepa"]["2"][circle]["r2_sine_worse"]["mean"]
    bars = {
        "Gaussian joints, LeJEPA, D = 2, angles, worse joint": bar(
            recovered, "at least 0.98", recovered >= 0.98),
        "circles, whitening, D = 4, sin and cos, worse joint": bar(
            round_, "at least 0.98", round_ >= 0.98),
        "circles, LeJEPA, D = 2, sine, worse joint": bar(
            lost, "below 0.1, as Gaussian outputs bend circles", lost < 0.1),
    }  # fmt: skip
    yardsticks = [row for row in rows if row["part"] == "yardstick"]
    return {"table": table, "yardsticks": yardsticks, "bars": bars}


def _means(rows: Sequence[Row]) -> dict[str, Any]:
    """Means over seeds; ``worse`` is the worse joint's, a circle's the mean of sine and cosine."""
    circles = [[(s + c) / 2 for s, c in zip(row["r2_sine"], row["r2_cosine"], strict=True)]
               for row in rows]  # fmt: skip
    return {
        "r2_angle_worse": mean_interval([min(row["r2_angle"]) for row in rows]),
        "r2_sine_worse": mean_interval([min(row["r2_sine"]) for row in rows]),
        "r2_circle_worse": mean_interval([min(one) for one in circles]),
        "sigreg": mean_interval([row["sigreg"] for row in rows]),
    }


STUDY = Study(
    "circle-law",
    "Joints from a Gaussian arc to the whole circle: LeJEPA and whitening; SIGReg's yardsticks.",
    jobs, measure, conclude,
)  # fmt: skip
