"""The points of learning curves: one checkpoint on one protocol, and the table they are kept in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.errors import UserError
from benchmarks.campaign.subject import is_defined_alike
from benchmarks.campaign.tables import (
    CURVE_KEY,
    Run,
    has_tables,
    put_run,
    read_runs,
    run_id,
)

if TYPE_CHECKING:
    from agent.commands.measurement import Measurement


@dataclass(frozen=True)
class Point:
    """One checkpoint on one protocol, for the table in ``place``."""

    place: Path
    controller: str
    training_seed: int
    job: Measurement


def is_measured(point: Point, known: Sequence[Run]) -> bool:
    """Whether ``known`` has this checkpoint on this protocol and these episodes, or more."""
    from agent.files.bundle import bundle_sha256

    if not known or point.job.checkpoint is None:
        return False
    wanted = (
        point.controller, point.training_seed, point.job.protocol, point.job.seed,
        bundle_sha256(point.job.checkpoint),
    )  # fmt: skip
    names = ("controller", "training_seed", "protocol", "seed", "checkpoint_sha256")
    mine = [run for run in known if tuple(run[name] for name in names) == wanted]
    return any(run["episodes"] >= point.job.episodes and is_defined_alike(run) for run in mine)


def points_in(place: Path) -> list[Run]:
    """Every point of the curves in ``place``; none where there is no table."""
    return read_runs(place, episodes=False) if has_tables(place) else []


def keep_point(point: Point, result: Mapping[str, Any]) -> Run:
    """Put ``result`` into the table of curves.

    Raises:
        UserError: if the checkpoint does not say its env steps, is another training's, or the
            table has more or other episodes there.
    """
    _require_training(point, result)
    name = run_id(result, CURVE_KEY)
    for old in (old for old in points_in(point.place) if run_id(old, CURVE_KEY) == name):
        if old["seed"] != result["seed"] or old["episodes"] > result["episodes"]:
            raise UserError(
                f"expected at least {old['episodes']} episodes of seed {old['seed']}, as the curve "
                f"has at {name}, got {result['episodes']} of seed {result['seed']}"
            )
    return put_run(point.place, result, CURVE_KEY)


def _require_training(point: Point, result: Mapping[str, Any]) -> None:
    """UserError unless ``result`` says what it was bought with, and is of the point's training."""
    if (result["bought_with"] or {}).get("env_steps") is None:
        raise UserError(
            f"expected a checkpoint that says its env_steps, got none in {result['command']}: "
            "train it again"
        )
    got = (result["controller"], result["training_seed"])
    if got != (point.controller, point.training_seed):
        raise UserError(
            f"expected {point.controller} of training seed {point.training_seed}, got {got[0]} of "
            f"{got[1]}: {result['command']}"
        )
