"""Study ``worlds``: four mixings of two Gaussian latents, three objectives.

(Klindt, LeCun & Balestriero 2026, arXiv:2605.26379, Sec. 5: R² ≈ 1 in two dimensions.)
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from studies.intervals import mean_interval
from studies.learning import EPSILON, Recipe, learn, ornstein_uhlenbeck, planar_encoder
from studies.metrics import linear_r2
from studies.objectives import Objective
from studies.study import Preset, Row, Settings, Study, bar, seeds_of
from studies.worlds import MIXINGS, sample_latents

OBJECTIVES = ("lejepa", "whitening", "infonce")
LOOSE = 1e-5
"""torch's own ε: see :data:`studies.learning.EPSILON`."""
RHO = 0.95
BAR = 0.999
STEPS = {"quick": 2600, "full": 20_000}
SEEDS = {"quick": (0, 1, 2), "full": (0, 1, 2, 3, 4)}
RIVAL_SEEDS = {"quick": (0,), "full": SEEDS["full"]}  # the claim is LeJEPA's, quick is minutes
METRICS = ("r2", "r2_reverse", "mcc", "orthogonality_error", "whitening_error", "procrustes_error")


def jobs(preset: Preset) -> list[dict[str, Any]]:
    """Every mixing, objective and seed; quick trains the other objectives once.

    Full trains LeJEPA once more on each mixing, under torch's ε in the last BatchNorm.
    """
    asked = [
        (mixing, objective, seed, EPSILON)
        for mixing in MIXINGS for objective in OBJECTIVES for seed in _seeds(preset, objective)
    ]  # fmt: skip
    if preset == "full":
        asked += [(mixing, "lejepa", 0, LOOSE) for mixing in MIXINGS]
    return [
        {"mixing": mixing, "objective": objective, "seed": seed, "epsilon": epsilon, "rho": RHO,
         "steps": STEPS[preset], "pairs": 384}
        for mixing, objective, seed, epsilon in asked
    ]  # fmt: skip


def _seeds(preset: Preset, objective: str) -> tuple[int, ...]:
    return (SEEDS if objective == "lejepa" else RIVAL_SEEDS)[preset]


def measure(settings: Settings, scratch: Path) -> dict[str, Any]:
    """Train an MLP and compare it with the latents; ``observed_r2`` is that of no encoder."""
    kind, seed = settings["objective"], settings["seed"]
    mixing = MIXINGS[settings["mixing"]]
    start = seeds_of(seed, 0)[0]
    encoder = planar_encoder(2, 2, start, kind != "infonce", settings["epsilon"])
    recipe = Recipe(settings["steps"], settings["pairs"], objective=Objective(kind, 5e-3))
    world = ornstein_uhlenbeck(mixing, settings["rho"])
    found = learn(encoder, world, recipe, seed)
    latents = sample_latents(20_000, 2, torch.Generator().manual_seed(seeds_of(seed, 2)[0]))
    observed = linear_r2(mixing(latents).double().numpy(), latents.double().numpy())
    return {**found.as_row(), "observed_r2": observed}


def conclude(rows: Sequence[Row]) -> dict[str, Any]:
    """Means over seeds; the bar is LeJEPA's R² on each mixing. ``loose``: under torch's ε."""
    firm = [row for row in rows if row["epsilon"] == EPSILON]
    table = {
        mixing: {kind: _means([r for r in firm if (r["mixing"], r["objective"]) == (mixing, kind)])
                 for kind in OBJECTIVES}
        for mixing in MIXINGS
    }  # fmt: skip
    loose = {row["mixing"]: {name: row[name] for name in ("r2", "whitening_error")}
             for row in rows if row["epsilon"] == LOOSE}  # fmt: skip
    reached = {name: table[name]["lejepa"]["r2"]["mean"] for name in MIXINGS}
    bars = {f"R2, {name}": bar(r2, f"at least {BAR}", r2 >= BAR) for name, r2 in reached.items()}
    return {"table": table, "loose": loose, "bars": bars}


def _means(rows: Sequence[Row]) -> dict[str, Any]:
    return {name: mean_interval([row[name] for row in rows]) for name in (*METRICS, "observed_r2")}


STUDY = Study(
    "worlds",
    "Four nonlinear mixings of two Gaussian latents: what three objectives recover of them.",
    jobs, measure, conclude,
)  # fmt: skip
