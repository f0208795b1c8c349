"""Study ``circles``: what whitened features keep of circles, intervals and lines, as predicted.

The rule is ``agent.diagnosis.circles``'s. A slow coordinate and a faster one of some kinds, a
ratio of rates and a number of outputs: both coordinates' first features are either among the
slowest or not, and an encoder trained long enough has them or not; ``studies.batches`` says what
batches of a size make of that. LeJEPA is trained beside.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from agent.diagnosis.circles import Coordinate, Kind, least_outputs, outputs_needed
from studies.batches import r2_in_batches
from studies.intervals import mean_interval
from studies.learning import Recipe, World, fresh_pairs, planar_encoder, train
from studies.made_once import made_once
from studies.metrics import linear_r2
from studies.objectives import Objective
from studies.products import Product, predicted_r2
from studies.study import Preset, Row, Settings, Study, bar, seeds_of

SLOW_RATE = 0.05  # a step: its first feature is correlated by .95, as in the other studies
WORLDS: dict[str, tuple[Kind, Kind]] = {
    "circle, circle": ("circle", "circle"),
    "circle, interval": ("circle", "interval"),
    "circle, line": ("circle", "line"),
    "interval, interval": ("interval", "interval"),
    "line, circle": ("line", "circle"),
    "line, line": ("line", "line"),
}
"""Slow coordinate first."""
HEADLINE = ("circle, circle", "circle, interval")
RATIOS = {"quick": (2.5, 5.5), "full": (1.5, 2.5, 3.5, 4.5, 5.5, 8.5)}
SEEDS = {"quick": (0,), "full": (0, 1, 2)}
HEADLINE_SEEDS = (0, 1, 2)
STEPS = {"quick": 1000, "full": 4000}
WEIGHT = 1e-2
PAIRS, MANY_PAIRS = 256, 2048
"""A batch must show the tails of the features it is to whiten. Those of circles and intervals are
bounded; the higher powers of a number on a line are not, and take more pairs."""
ASKED = 0.02


def coordinates(world: str, ratio: float) -> tuple[Coordinate, ...]:
    """The slow coordinate of ``world`` and the one that is ``ratio`` times as fast."""
    slow, fast = WORLDS[world]
    return (
        Coordinate(f"slow {slow}", slow, SLOW_RATE),
        Coordinate(f"fast {fast}", fast, ratio * SLOW_RATE),
    )


def jobs(preset: Preset) -> list[dict[str, Any]]:
    """Whitening in every world, ratio and number of outputs; LeJEPA in the headline worlds."""
    return [
        {"world": world, "ratio": ratio, "outputs": factor * least_outputs(coordinates(world, 1)),
         "objective": objective, "seed": seed, "steps": STEPS[preset], "pairs": pairs}
        for objective in ("whitening", "lejepa") for world in WORLDS
        for ratio in RATIOS[preset] for factor in (1, 2) for pairs in (PAIRS, MANY_PAIRS)
        for seed in (HEADLINE_SEEDS if world in HEADLINE else SEEDS[preset])
        if objective == "whitening" or world in HEADLINE
        if pairs == PAIRS or (factor == 2 and WORLDS[world][0] == "line")
    ]  # fmt: skip


def measure(settings: Settings, scratch: Path) -> dict[str, Any]:
    """R² of each coordinate's first features in a trained encoder, and what the rule predicts."""
    seed, parts = settings["seed"], coordinates(settings["world"], settings["ratio"])
    product = Product(parts, seeds_of(seed, 3)[0])
    world = World(product.sample, product.mixing(), rho=1 - SLOW_RATE)
    objective = Objective(settings["objective"], WEIGHT)
    recipe = Recipe(settings["steps"], settings["pairs"], objective=objective)
    training, testing = seeds_of(seed, 1, count=2)
    encoder = planar_encoder(product.observed, settings["outputs"], seeds_of(seed, 0)[0])
    pairs = fresh_pairs(train(encoder, world, recipe, training), world, testing)
    latents = torch.from_numpy(pairs.latents)
    found = [linear_r2(pairs.embeddings, product.first(i, latents).numpy()) for i in range(2)]
    return {
        "r2": found,
        "predicted": predicted_r2(parts, settings["outputs"]),
        "in_batches": _in_batches(settings, scratch),
        "needed": outputs_needed(parts),
    }


def _in_batches(settings: Settings, scratch: Path) -> list[float]:
    """What batches of that many pairs choose; all seeds and objectives of a cell share it."""
    world, *cell = (settings[name] for name in ("world", "ratio", "outputs", "pairs"))
    product = Product(coordinates(world, cell[0]))
    name = "-".join(["batches", world.replace(", ", "-"), *map(str, cell)]).replace(".", "_")
    shared = made_once(
        scratch.parent / name, lambda: {"r2": np.array(r2_in_batches(product, *cell[1:]))}
    )
    return [float(one) for one in shared["r2"]]


def conclude(rows: Sequence[Row]) -> dict[str, Any]:
    """Mean R² over seeds of each cell beside what the rule and its batches predict."""
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        cell = (row["objective"], row["world"], row["ratio"], row["outputs"], row["pairs"])
        groups.setdefault(cell, []).append(row)
    table = [_cell(*cell, group) for cell, group in groups.items()]
    white = [one for one in table if one["objective"] == "whitening"]
    clear = [one for one in white if not one["tied"] and not _has_more(table, one)]
    of_rule, of_batches = (
        [one[off] for one in cells] for off, cells in (("off", clear), ("off_in_batches", white))
    )
    bars = {
        f"{what} against measured R2, whitening, {which}": bar(reached, asked, good)
        for what, offs in (("rule", of_rule), ("rule in batches", of_batches))
        for which, reached, asked, good in _judged(offs)
    }
    return {"table": table, "bars": bars}


def _judged(offs: Sequence[float]) -> list[tuple[str, float, str, bool]]:
    within = sum(off <= ASKED for off in offs) / len(offs)
    return [
        ("worst", max(offs), f"at most {ASKED}", max(offs) <= ASKED),
        (f"share of {len(offs)} cells within {ASKED}", within, "1", within == 1),
    ]


def _has_more(table: Sequence[Row], one: Row) -> bool:
    """Whether the same cell was measured with more pairs a batch as well."""
    names = ("objective", "world", "ratio", "outputs")
    return any(
        all(other[name] == one[name] for name in names) and other["pairs"] > one["pairs"]
        for other in table
    )


def _cell(
    objective: str, world: str, ratio: float, outputs: int, pairs: int, rows: Sequence[Row]
) -> dict[str, Any]:
    """``off``: the larger difference of the two coordinates' mean R² from what is predicted.

    ``tied``: where equally slow features do not all fit, the rule itself tells a mean alone.
    """
    predicted, in_batches = rows[0]["predicted"], rows[0]["in_batches"]
    found = [mean_interval([row["r2"][i] for row in rows]) for i in range(2)]
    means = [float(one["mean"] or 0) for one in found]
    off, off_in_batches = (
        max(abs(mean - asked) for mean, asked in zip(means, told, strict=True))
        for told in (predicted, in_batches)
    )
    return {
        "objective": objective, "world": world, "ratio": ratio, "outputs": outputs,
        "pairs": pairs, "needed": rows[0]["needed"], "r2": found, "predicted": predicted,
        "in_batches": in_batches, "off": off, "off_in_batches": off_in_batches,
        "tied": any(0 < asked < 1 for asked in predicted),
    }  # fmt: skip


STUDY = Study(
    "circles",
    "Circles, intervals and lines of two rates: R² against what the slowest features predict.",
    jobs, measure, conclude,
)  # fmt: skip
