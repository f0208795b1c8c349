"""Study ``scaling``: more and more Gaussian latents, and an encoder that could undo the mixing.

(Klindt, LeCun & Balestriero 2026, arXiv:2605.26379, Sec. 5: R² from .999998 at N = 2 to .99956 at
N = 1024, with a matched inverse-Real-NVP encoder and ρ = .95.)
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from studies.couplings import fixed_mixing
from studies.intervals import mean_interval
from studies.learning import Recipe, learn, matched_encoder, ornstein_uhlenbeck
from studies.metrics import linear_r2
from studies.objectives import Objective
from studies.study import Preset, Row, Settings, Study, bar, seeds_of
from studies.worlds import sample_latents

RHO = 0.95
STRENGTH = 0.5  # of the mixing; raw observations explain about .95 of the latents linearly
# Four nines in the plane need quieter gradients, and two dimensions leave time for them.
PLANE = {"pairs": 1024, "units": 16, "rate": 1e-2, "weight": 5e-4, "directions": 2}
# A sketch sees two coordinates collapse into one as 1/N² of its statistic, so λ grows with N. Past
# a hundred latents that is not enough: a pull this strong must be quiet too, which takes more
# directions, as many as latents, and a lower rate (N = 256, 1000 steps: R² .9957 before, .9992
# after). Past 128 the steps are as many as the bar asks for and the time allows.
MANY = 128
BARS = {2: 0.9999, 64: 0.999, 1024: 0.999}
QUICK = {2: (0, 1, 2), 4: (0,), 8: (0,), 16: (0,), 32: (0,), 64: (0,)}
FULL = dict.fromkeys((2, 4, 8, 16, 32, 64, 128, 256, 512, 1024), (0, 1, 2))
STEPS = {"quick": 1500, "full": 6000}
OTHER_STEPS = {"quick": {2: 4000}, "full": {128: 3000, 256: 3000, 512: 3000, 1024: 5000}}


def jobs(preset: Preset) -> list[dict[str, Any]]:
    """Every size and seed."""
    sizes = QUICK if preset == "quick" else FULL
    return [
        {"dimensions": n, "seed": seed, "rho": RHO, "strength": STRENGTH,
         **(PLANE if n == 2 else _space(n)), "steps": OTHER_STEPS[preset].get(n, STEPS[preset])}
        for n, seeds in sizes.items() for seed in seeds
    ]  # fmt: skip


def _space(n: int) -> dict[str, Any]:
    sizes = {"pairs": 256, "units": 8}
    if n < MANY:
        directions = min(8, max(2, n // 4))
        return {**sizes, "rate": 3e-2, "weight": 2e-3 * n, "directions": directions}
    return {**sizes, "rate": 1e-2, "weight": n / MANY, "directions": n}


def measure(settings: Settings, scratch: Path) -> dict[str, Any]:
    """Train the matched encoder; ``observed_r2`` is that of the raw observations."""
    n, seed = settings["dimensions"], settings["seed"]
    mixing = fixed_mixing(n, seed, settings["strength"])
    objective = Objective("lejepa", settings["weight"], settings["directions"])
    recipe = Recipe(
        settings["steps"], settings["pairs"], rate=settings["rate"], objective=objective
    )
    world = ornstein_uhlenbeck(mixing, settings["rho"], n)
    found = learn(matched_encoder(n, seeds_of(seed, 0)[0], settings["units"]), world, recipe, seed)
    latents = sample_latents(10_000, n, torch.Generator().manual_seed(seeds_of(seed, 2)[0]))
    observed = linear_r2(mixing(latents).double().numpy(), latents.double().numpy())
    return {**found.as_row(), "observed_r2": observed}


def conclude(rows: Sequence[Row]) -> dict[str, Any]:
    """R² at each size with intervals over seeds, where there are several."""
    sizes = sorted({row["dimensions"] for row in rows})
    table = {str(n): _means([row for row in rows if row["dimensions"] == n]) for n in sizes}
    bars = {
        f"R2, N = {n}": bar(table[str(n)]["r2"]["mean"], f"at least {asked}",
                            table[str(n)]["r2"]["mean"] >= asked)
        for n, asked in BARS.items() if n in sizes
    }  # fmt: skip
    return {"table": table, "bars": bars}


def _means(rows: Sequence[Row]) -> dict[str, Any]:
    names = ("r2", "r2_reverse", "orthogonality_error", "observed_r2")
    means = {name: mean_interval([row[name] for row in rows]) for name in names}
    by_rotation = [1 - row["procrustes_error"] / row["dimensions"] for row in rows]
    return {**means, "rotation_r2": mean_interval(by_rotation)}


STUDY = Study(
    "scaling",
    "Two to many Gaussian latents mixed by couplings, and an encoder of couplings the other way.",
    jobs, measure, conclude,
)  # fmt: skip
