"""Study ``conditions``: each condition of the theorem broken alone, a little and a lot.

See ``studies.violations`` for the worlds; ``dimension`` leaves the world whole and gives
the encoder fewer or more outputs than there are latents. ``weight`` is LeJEPA's λ where one
latent forgets four times as fast.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from studies.intervals import mean_interval
from studies.learning import Recipe, Sampler, World, fresh_pairs, planar_encoder, train
from studies.metrics import linear_r2, mean_correlation
from studies.objectives import Objective
from studies.study import Preset, Row, Settings, Study, bar, seeds_of
from studies.violations import BROKEN, RHO
from studies.worlds import MIXINGS

MIXING = "spiral"
OBJECTIVES = ("lejepa", "whitening")
AMOUNTS = {
    "mean": (0.0, 0.5, 1.0, 2.0),
    "variance": (0.5, 1.0, 1.5),
    "noise": (0.3, 0.6, 0.9),
    "rates": (1.5, 2.5, 4.0, 8.0, 12.0, 16.0),
    "dimension": (1, 3, 4, 8),
    "weight": (0.001, 0.1),
}
WEIGHT, WEIGHED_RATIO = 1e-2, 4.0  # λ, and the ratio of rates at which it is another
SEEDS = {"quick": (0,), "full": (0, 1, 2, 3, 4)}
STEPS = {"quick": 1500, "full": 20_000}


def jobs(preset: Preset) -> list[dict[str, Any]]:
    """Every condition, amount, objective and seed; ``mean`` 0 is the world with nothing broken."""
    return [
        {"condition": condition, "amount": amount, "objective": objective, "seed": seed,
         "steps": STEPS[preset], "pairs": 256}
        for condition, amounts in AMOUNTS.items() for amount in amounts
        for objective in OBJECTIVES for seed in SEEDS[preset]
        if objective == "lejepa" or condition != "weight"
    ]  # fmt: skip


def measure(settings: Settings, scratch: Path) -> dict[str, Any]:
    """Train on the broken world and read its latents off linearly, each also alone."""
    condition, seed = settings["condition"], settings["seed"]
    outputs = int(settings["amount"]) if condition == "dimension" else 2
    objective = Objective(
        settings["objective"], settings["amount"] if condition == "weight" else WEIGHT
    )
    world = World(_sampler(condition, settings["amount"]), MIXINGS[MIXING], RHO)
    recipe = Recipe(settings["steps"], settings["pairs"], objective=objective)
    training, testing = seeds_of(seed, 1, count=2)
    encoder = train(planar_encoder(2, outputs, seeds_of(seed, 0)[0]), world, recipe, training)
    pairs = fresh_pairs(encoder, world, testing)
    z, h = pairs.latents, pairs.embeddings
    first, second = (linear_r2(h, z[:, [i]]) for i in range(2))
    return {"r2": linear_r2(h, z), "r2_reverse": linear_r2(z, h), "r2_first": first,
            "r2_second": second, "mcc": mean_correlation(z, h)}  # fmt: skip


def _sampler(condition: str, amount: float) -> Sampler:
    if condition == "weight":
        return BROKEN["rates"](WEIGHED_RATIO)
    return BROKEN["mean"](0.0) if condition == "dimension" else BROKEN[condition](amount)


def conclude(rows: Sequence[Row]) -> dict[str, Any]:
    """R² against the amount of each violation; ``whole`` is the world with none."""
    whole = {kind: _means(_chosen(rows, "mean", 0.0, kind)) for kind in OBJECTIVES}
    table = {
        condition: {str(amount): {kind: _means(chosen) for kind in OBJECTIVES
                                  if (chosen := _chosen(rows, condition, amount, kind))}
                    for amount in amounts}
        for condition, amounts in AMOUNTS.items()
    }  # fmt: skip
    r2, fast = whole["lejepa"]["r2"]["mean"], table["rates"]["4.0"]["whitening"]["r2_second"]
    bars = {
        "R2, nothing broken": bar(r2, "at least 0.999", r2 >= 0.999),
        "whitening loses a latent 4 times as fast, R2": bar(
            fast["mean"], "below 0.5, as predicted", fast["mean"] < 0.5
        ),
    }
    return {"whole": whole, "table": table, "bars": bars}


def _chosen(rows: Sequence[Row], condition: str, amount: float, kind: str) -> list[Row]:
    wanted = (condition, amount, kind)
    return [r for r in rows if (r["condition"], r["amount"], r["objective"]) == wanted]


def _means(rows: Sequence[Row]) -> dict[str, Any]:
    names = ("r2", "r2_reverse", "r2_first", "r2_second", "mcc")
    return {name: mean_interval([row[name] for row in rows]) for name in names}


STUDY = Study(
    "conditions",
    "Stationarity, additive noise, one rate and as many outputs as latents, each broken alone.",
    jobs, measure, conclude,
)  # fmt: skip
