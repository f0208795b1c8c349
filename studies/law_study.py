"""Study ``law``: latents from heavy tails over the Gaussian to nearly uniform, with FastICA beside.

(Klindt, LeCun & Balestriero 2026, arXiv:2605.26379, Theorem 2 and its ablation: R² over the shape α
of a generalised normal law peaks at the Gaussian's α = 2.) FastICA (Hyvärinen 1999, "Fast and
robust fixed-point algorithms for independent component analysis") lives on what LeJEPA cannot use,
latents that are not Gaussian, and needs a linear mixing.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from studies.intervals import mean_interval
from studies.learning import Recipe, learn, ornstein_uhlenbeck, planar_encoder
from studies.metrics import Array, linear_r2, mean_correlation
from studies.objectives import Objective
from studies.study import Preset, Row, Settings, Study, bar, seeds_of
from studies.worlds import GAUSSIAN_SHAPE, MIXINGS, linear, sample_latents

RHO = 0.95
METHODS = ("lejepa", "whitening", "fastica")
ALL = {**MIXINGS, "linear": linear}
SHAPES = {
    "quick": (0.5, 1.0, 2.0, 4.0, 32.0),
    "full": (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0),
}
STEPS = {"quick": 1500, "full": 20_000}
SEEDS = {"quick": (0, 1, 2), "full": (0, 1, 2, 3, 4)}
SAMPLES = 20_000


def jobs(preset: Preset) -> list[dict[str, Any]]:
    """Every mixing, law and seed for LeJEPA and FastICA; whitening in the full preset too."""
    methods = METHODS if preset == "full" else ("lejepa", "fastica")
    return [
        {"method": method, "mixing": mixing, "shape": shape, "seed": seed, "rho": RHO,
         "steps": STEPS[preset] if method != "fastica" else 0, "pairs": 256}
        for method in methods for mixing in ALL for shape in SHAPES[preset]
        for seed in SEEDS[preset]
        if method == "fastica" or mixing != "linear"
    ]  # fmt: skip


def measure(settings: Settings, scratch: Path) -> dict[str, Any]:
    """R² and MCC of one method on one mixture."""
    if settings["method"] == "fastica":
        return _fastica(settings)
    seed, mixing = settings["seed"], MIXINGS[settings["mixing"]]
    world = ornstein_uhlenbeck(mixing, settings["rho"], shape=settings["shape"])
    objective = Objective(settings["method"], 1e-2)
    recipe = Recipe(settings["steps"], settings["pairs"], objective=objective)
    encoder = planar_encoder(2, 2, seeds_of(seed, 0)[0])
    found = learn(encoder, world, recipe, seed)
    return {"r2": found.r2, "mcc": found.mcc}


def _fastica(settings: Settings) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(seeds_of(settings["seed"], 1)[0])
    latents = sample_latents(SAMPLES, 2, generator, settings["shape"])
    observed = ALL[settings["mixing"]](latents).double().numpy()
    sources = separate(observed, seeds_of(settings["seed"], 0)[0])
    z = latents.double().numpy()
    return {"r2": linear_r2(sources, z), "mcc": mean_correlation(z, sources)}


def separate(observed: Array, seed: int) -> Array:
    """FastICA's sources of ``observed`` (samples, n), same shape, in no particular order.

    It may not settle: on Gaussian sources no direction is better than another. What it has then
    is returned, since that is the answer a user would get.
    """
    decomposition: Any = importlib.import_module("sklearn.decomposition")
    state = np.random.RandomState(seed % 2**32)  # scikit-learn takes no Generator
    ica = decomposition.FastICA(whiten="unit-variance", random_state=state, max_iter=500)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="FastICA did not converge")
        return np.asarray(ica.fit_transform(observed), dtype=np.float64)


def conclude(rows: Sequence[Row]) -> dict[str, Any]:
    """Curves over α, and how far LeJEPA's R² at the Gaussian is above the best other law."""
    table: dict[str, Any] = {}
    for row in rows:
        shapes = table.setdefault(row["method"], {}).setdefault(row["mixing"], {})
        shapes.setdefault(str(row["shape"]), []).append(row)
    means = {
        method: {mixing: {shape: _means(group) for shape, group in shapes.items()}
                 for mixing, shapes in mixings.items()}
        for method, mixings in table.items()
    }  # fmt: skip
    margins = {name: margin([r for r in rows if (r["method"], r["mixing"]) == ("lejepa", name)])
               for name in MIXINGS}  # fmt: skip
    bars = {
        f"R2 at alpha = 2 above the best other, {name}":
            bar(found["mean"], "above 0, interval too", (found["low"] or 0) > 0)
        for name, found in margins.items()
    }  # fmt: skip
    return {"table": means, "margins": margins, "bars": bars}


def _means(rows: Sequence[Row]) -> dict[str, Any]:
    return {name: mean_interval([row[name] for row in rows]) for name in ("r2", "mcc")}


def margin(rows: Sequence[Row]) -> dict[str, Any]:
    """R² at α = 2 minus the largest at any other α of the same seed, over seeds."""
    differences = []
    for seed in sorted({row["seed"] for row in rows}):
        ours = [row for row in rows if row["seed"] == seed]
        gaussian = [row["r2"] for row in ours if row["shape"] == GAUSSIAN_SHAPE]
        others = [row["r2"] for row in ours if row["shape"] != GAUSSIAN_SHAPE]
        differences.append(gaussian[0] - max(others))
    return mean_interval(differences)


STUDY = Study(
    "law",
    "Latent laws from heavy tails to nearly uniform: LeJEPA on nonlinear mixtures, and FastICA.",
    jobs, measure, conclude,
)  # fmt: skip
