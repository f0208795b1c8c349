"""Study ``bound``: the approximate theorem against the error measured, over λ and ρ.

(Klindt, LeCun & Balestriero 2026, arXiv:2605.26379, Theorem 3: min_Q E‖h − Qz‖² ≤ D + (ε + D)².)
Encoders are left unnormalised here, so that a λ too small lets the embedding shrink and a λ too
large bends it: the bound has to hold for bad encoders as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from studies.learning import Recipe, learn, ornstein_uhlenbeck, planar_encoder
from studies.objectives import Objective
from studies.study import Preset, Row, Settings, Study, bar, seeds_of
from studies.worlds import MIXINGS

WEIGHTS = {
    "quick": (1e-4, 1e-3, 1e-2, 1e-1, 5e-1),
    "full": (1e-6, 1e-5, 1e-4, 1e-3, 5e-3, 1e-2, 5e-2, 1e-1, 5e-1),
}
RHOS = {"quick": (0.3, 0.5, 0.7, 0.9, 0.95, 0.99), "full": (0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99)}
SEEDS = {"quick": (0,), "full": (0, 1, 2)}
ERRORS = 3  # standard errors; a collapsed encoder is on the bound, to either side by chance
STEPS = {"quick": 1500, "full": 20_000}


def jobs(preset: Preset) -> list[dict[str, Any]]:
    """Every λ, ρ and seed, on the spiral."""
    return [
        {"mixing": "spiral", "weight": weight, "rho": rho, "seed": seed, "pairs": 256,
         "steps": STEPS[preset]}
        for weight in WEIGHTS[preset] for rho in RHOS[preset] for seed in SEEDS[preset]
    ]  # fmt: skip


def measure(settings: Settings, scratch: Path) -> dict[str, Any]:
    """Train, then the error and its bound on fresh pairs."""
    seed = settings["seed"]
    encoder = planar_encoder(2, 2, seeds_of(seed, 0)[0], normalised=False)
    objective = Objective("lejepa", settings["weight"])
    world = ornstein_uhlenbeck(MIXINGS[settings["mixing"]], settings["rho"])
    recipe = Recipe(settings["steps"], settings["pairs"], objective=objective)
    return learn(encoder, world, recipe, seed).as_row()


def conclude(rows: Sequence[Row]) -> dict[str, Any]:
    """How often the bound is broken, how loose it is, and R² over the grid."""
    above = [row for row in rows if row["procrustes_error"] > row["bound"]]
    broken = [row for row in above if _excess(row) > ERRORS * row["procrustes_standard_error"]]
    looseness = sorted(row["bound"] / row["procrustes_error"] for row in rows)
    useful = [row for row in rows if row["bound"] < 2]
    bars = {"bound violated, runs": bar(len(broken), f"0 of {len(rows)}", not broken)}
    return {
        "runs": len(rows),
        "above_within_chance": len(above) - len(broken),
        "violations": [dict(row) for row in broken],
        "median_bound_over_error": looseness[len(looseness) // 2],
        "runs_where_it_says_something": len(useful),
        "bars": bars,
    }


def _excess(row: Row) -> float:
    return float(row["procrustes_error"] - row["bound"])


STUDY = Study(
    "bound",
    "The approximate theorem's bound against the measured error over lambda and rho.",
    jobs, measure, conclude,
)  # fmt: skip
