"""Results of evaluations that nobody played, for tables, cells and pages."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from agent.commands.measurement import Measurement
from agent.commands.worlds_asked import WorldAsked
from agent.evaluation.play import Trial
from agent.evaluation.results import UNLEARNED, Asked, summarise
from benchmarks.campaign.cells import Cell
from benchmarks.campaign.curve_points import Point
from benchmarks.campaign.tables import as_run
from envs import Verdict, WorldSpec

EPISODES = 40


def result(
    hits: Sequence[bool] = (True, False),
    *,
    controller: str = "sac",
    protocol: str = "lewm",
    world: str = "reacher",
    training_seed: int | None = 0,
    env_steps: int | None = 1000,
    seed: int = 5,
    solved: Collection[int] = (),
    paid: float | None = None,
    **changes: Any,
) -> dict[str, Any]:
    """As ``evaluate --json`` writes it: each episode hit or missed; those ``solved`` by nobody."""
    verdicts = [
        Verdict(
            i, i in solved, hit, hit, 3 if hit else None, 0.1 + 0.2 if hit else 1.0, "rad", paid
        )
        for i, hit in enumerate(hits)
    ]
    spec = WorldSpec(world, "fast", (64, 64), 2, 0.04)
    learned = training_seed is not None
    price = {"env_steps": env_steps, "training_s": 60.0, "memory_mb": 500.0}
    return summarise(
        [Trial(verdict, (2.0,)) for verdict in verdicts],
        Asked(controller, spec, protocol, "a rule", "f" * 12, seed),
        command='a "quoted", one',
        checkpoint_sha256="c0ffee" if learned else None,
        origin={"training_seed": training_seed, "bought_with": price} if learned else UNLEARNED,
    ) | {"hardware": "x", "date": "2026-01-02", "commit": "abc", **changes}


def share(rate: float) -> list[bool]:
    """``EPISODES`` of which the first are hits."""
    return [i < round(rate * EPISODES) for i in range(EPISODES)]


def cell_of(*results: dict[str, Any]) -> Cell:
    """The cell that these results of training seeds are."""
    return Cell(results[0]["protocol"], results[0]["controller"], tuple(map(as_run, results)))


def cell(controller: str, protocol: str, rates: Sequence[float], learned: bool = True) -> Cell:
    """A cell with one training seed a rate; dm_control's tasks pay 1000 times the rate."""
    return cell_of(
        *(
            result(
                share(rate),
                controller=controller,
                protocol=protocol,
                training_seed=seed if learned else None,
                paid=1000.0 * rate if protocol.startswith("dmc") else None,
            )
            for seed, rate in enumerate(rates)
        )
    )


def point_in(place: Path, controller: str = "sac", seed: int = 0) -> Point:
    """A point of that training for the table in ``place``."""
    job = Measurement(controller, None, WorldAsked("reacher"), "lewm", 2, 5)
    return Point(place, controller, seed, job)
