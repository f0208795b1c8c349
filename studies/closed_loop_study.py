"""Study ``closed-loop``: what identifiability buys, as cost against the known optimum.

(Klindt, LeCun & Balestriero 2026, arXiv:2605.26379, Theorem 4: where h is a rotation of the state,
plans that are best in the embedding are best in the world.) A point mass seen in pixels, an encoder
from passive pairs of pictures with as many outputs as positions, linear dynamics fitted on
recorded forces, and linear-quadratic control in the embedding. Recovery is spoilt on purpose:
training ends early, pairs are few, or the law breaks a condition of the theorem.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from agent.interfaces import Array
from studies.intervals import mean_interval
from studies.latent_control import (
    Encoder,
    costs_by_step,
    fit_dynamics,
    latent_controller,
    true_controller,
)
from studies.learning import Recipe, Sampler, World, planar_encoder, train
from studies.metrics import linear_r2, orthogonality_error, rotation_r2
from studies.objectives import Objective
from studies.point_mass import SIDE_PX, behaviour_correlation, draw, record
from studies.study import Preset, Row, Settings, Study, bar, seeds_of
from studies.worlds import step

LAG = 4  # steps between the two pictures of a pair
STEPS, WEIGHT = 1500, 1e-2
SOUND_R2, ASKED = 0.99, 1.05
EPISODES, EPISODE_STEPS, WIDEST = 256, 60, 1.5  # starts and goals: uniform in ±WIDEST
RECORDED, RECORDED_STEPS, RECORDED_WIDTH = 200, 40, 0.8
TEST_ROWS = 10_000
MEANS = (
    "r2", "r2_reverse", "rotation_r2", "cost_ratio", "later_ratio", "median_ratio", "lost",
)  # fmt: skip
READINGS = {"rotation_r2": "a rotation", "r2": "a line"}
BREAKS: dict[str, tuple[float, ...]] = {
    "nothing": (0,),
    "steps": (25, 50, 100, 200, 500),
    "pairs": (64, 256, 1024, 4096),
    "uniform": (1,),
    "rates": (2.5, 4.0),
}
"""What is spoilt, and by how much: steps of training, pairs in all, a law, a ratio of rates."""


def jobs(preset: Preset) -> list[dict[str, Any]]:
    """Every spoilt recovery for LeJEPA; whitening where rates differ; three seeds of the whole."""
    return [
        {"spoilt": spoilt, "amount": amount, "objective": objective, "seed": seed,
         "steps": int(amount) if spoilt == "steps" else STEPS, "pairs": 256}
        for objective in ("lejepa", "whitening") for spoilt, amounts in BREAKS.items()
        for amount in amounts for seed in range(3)
        if (seed == 0 or spoilt == "nothing" or preset == "full")
        and (objective == "lejepa" or spoilt in ("nothing", "uniform", "rates"))
    ]  # fmt: skip


def measure(settings: Settings, scratch: Path) -> dict[str, Any]:
    """R² of the position on the law that was learned from, and the closed loop's cost ratio."""
    seed = settings["seed"]
    training, testing = seeds_of(seed, 1, count=2)
    world = World(pairs_of(settings), draw, behaviour_correlation(LAG))
    recipe = Recipe(
        settings["steps"], settings["pairs"], objective=Objective(settings["objective"], WEIGHT)
    )
    network = planar_encoder(SIDE_PX**2, 2, seeds_of(seed, 0)[0])
    encoder = _on_positions(train(network, world, recipe, training))
    fresh = fresh_law(settings, TEST_ROWS, torch.Generator().manual_seed(testing))
    z = fresh.double().numpy()
    h = encoder(z)
    return {
        "r2": linear_r2(h, z),
        "r2_reverse": linear_r2(z, h),
        "rotation_r2": rotation_r2(h, z),
        "orthogonality_error": orthogonality_error(z, h),
        **_control(encoder, seed),
    }


def _control(encoder: Encoder, seed: int) -> dict[str, float]:
    rng = np.random.default_rng(seeds_of(seed, 2)[0])
    places, forces = record(RECORDED, RECORDED_STEPS, RECORDED_WIDTH, rng)
    embedded = encoder(places.reshape(-1, 2)).reshape(*places.shape[:2], -1)
    dynamics = fit_dynamics(embedded, forces)
    starts, goals = rng.uniform(-WIDEST, WIDEST, (2, EPISODES, 2))
    noise = seeds_of(seed, 3)[0]
    controllers = {
        "learned": latent_controller(encoder, dynamics, goals),
        "optimum": true_controller(goals),
        "nothing": lambda positions, before: np.zeros_like(positions),
    }
    costs = {
        name: costs_by_step(acts, starts, goals, EPISODE_STEPS, np.random.default_rng(noise))
        for name, acts in controllers.items()
    }
    cost = {name: by_step.sum(0) for name, by_step in costs.items()}
    later = {name: float(by_step[1:].sum(0).mean()) for name, by_step in costs.items()}
    best = float(cost["optimum"].mean())
    return {
        "cost_ratio": float(cost["learned"].mean()) / best,
        "later_ratio": later["learned"] / later["optimum"],
        "first_share": 1 - later["optimum"] / best,
        "median_ratio": float(np.median(cost["learned"] / cost["optimum"])),
        "lost": float((cost["learned"] > cost["nothing"]).mean()),
        "ratio_of_doing_nothing": float(cost["nothing"].mean()) / best,
    }


def _on_positions(network: nn.Module) -> Encoder:
    @torch.no_grad()
    def encode(positions: Array) -> Array:
        embedded: Array = network(draw(torch.from_numpy(positions))).double().numpy()
        return embedded

    return encode


def fresh_law(settings: Settings, count: int, generator: torch.Generator) -> Tensor:
    """Positions (count, 2) of the law that ``settings`` learn from."""
    return _sampler(settings)(count, generator)[0]


def pairs_of(settings: Settings) -> Sampler:
    """Pairs of positions; where pairs are few, the same few again and again."""
    sampler = _sampler(settings)
    if settings["spoilt"] != "pairs":
        return sampler
    generator = torch.Generator().manual_seed(seeds_of(settings["seed"], 4)[0])
    here, there = sampler(int(settings["amount"]), generator)

    def again(count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        chosen = torch.randint(len(here), (count,), generator=generator)
        return here[chosen], there[chosen]

    return again


def _sampler(settings: Settings) -> Sampler:
    """Position pairs of the recorded behaviour: Gaussian, and correlated as its are, or spoilt."""
    ratio = settings["amount"] if settings["spoilt"] == "rates" else 1.0
    rho = behaviour_correlation(LAG)
    rates = torch.tensor([rho, rho**ratio])
    even = settings["spoilt"] == "uniform"

    def sample(count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        here = torch.randn((count, 2), generator=generator)
        there = step(here, rates, generator)
        return (_evened(here), _evened(there)) if even else (here, there)

    return sample


def _evened(gaussian: Tensor) -> Tensor:
    """Standard normal numbers made uniform, of variance 1 again."""
    return 3**0.5 * torch.erf(gaussian / 2**0.5)


def conclude(rows: Sequence[Row]) -> dict[str, Any]:
    """Cost ratio and R² of each way to spoil recovery; the bar is where R² is sound."""
    groups: dict[tuple[str, str, float], list[Row]] = {}
    for row in rows:
        groups.setdefault((row["objective"], row["spoilt"], row["amount"]), []).append(row)
    table = [
        {"objective": objective, "spoilt": spoilt, "amount": amount,
         **{name: mean_interval([row[name] for row in group])
            for name in MEANS}}
        for (objective, spoilt, amount), group in groups.items()
    ]  # fmt: skip
    sound = {name: [r["cost_ratio"] for r in rows if r[name] >= SOUND_R2] for name in READINGS}
    bars = {
        f"cost over optimum where R2 of {said} is at least {SOUND_R2}, worst run": _bar(sound[name])
        for name, said in READINGS.items()
    }
    counts = {name: len(costs) for name, costs in sound.items()}
    straight = [row["later_ratio"] for row in rows if row["rotation_r2"] >= SOUND_R2]
    return {
        "table": table, "sound_runs": counts, "bars": bars,
        "doing_nothing": mean_interval([row["ratio_of_doing_nothing"] for row in rows]),
        "first_share": mean_interval([row["first_share"] for row in rows]),
        "later_ratio_of_the_worst": max(straight, default=None),
    }  # fmt: skip


def _bar(costs: Sequence[float]) -> dict[str, Any]:
    worst = max(costs, default=float("inf"))
    return bar(worst, f"at most {ASKED}", worst <= ASKED)


STUDY = Study(
    "closed-loop",
    "A point mass in pixels: cost of control in the embedding over the optimum, as R² falls.",
    jobs, measure, conclude,
)  # fmt: skip
