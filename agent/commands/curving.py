"""Measuring the checkpoints along trainings: success and return against experience."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.commands.checkpoints import find_checkpoint, first_finished
from agent.commands.matrix import POINTS, Training, trainings_known
from agent.errors import UserError

if TYPE_CHECKING:
    from agent.commands.compare import Compare
    from agent.commands.evaluate import Measurement


@dataclass(frozen=True)
class Point:
    """One checkpoint on one protocol, for the curve file ``path``."""

    path: Path
    controller: str
    training_seed: int
    job: Measurement


def measure_curves(asked: Compare) -> None:
    """Measure the points that no curve file has yet, and list the trainings that are missing."""
    from agent.commands.comparison_plan import show_lines
    from agent.commands.console import note, say
    from agent.commands.measuring import measure_each

    points = [point for point in points_of(asked) if not is_measured(point)]
    say(f"to measure now: {len(points)} points")
    show_lines(_missing(asked))
    jobs = [point.job for point in points]
    for number, outcome in measure_each(jobs, asked.workers) if jobs and not asked.plan else ():
        if isinstance(outcome, UserError):
            note(f"not measured: {points[number].job.checkpoint}: {outcome}", style="yellow")
        else:
            _keep(points[number], outcome)
    if not asked.plan:
        say(f"next: python run_agent.py report {asked.place.parent}")


def points_of(asked: Compare) -> Iterator[Point]:
    """Every checkpoint that is there, on every protocol of the curves that it plays."""
    from agent.commands.evaluate import Measurement

    for training, seed in _trainings(asked):
        path, name = _path(asked, training, seed), training.controller
        for checkpoint in checkpoints_along(training.out(asked.runs, seed), training.shipped(seed)):
            for protocol in _protocols(asked, training):
                job = Measurement(name, checkpoint, protocol, asked.count, asked.seed)
                yield Point(path, name, seed, job)


def checkpoints_along(run: Path, shipped: Path) -> list[Path]:
    """The checkpoints in RUN/checkpoints/ by their env steps, then the one the training ended with.

    That is the ``shipped`` one where there is no other. The last is left out where the one before
    it has as many env steps.
    """
    numbered = [p for p in (run / POINTS).glob("*") if p.name.isdecimal()]
    places = sorted(numbered, key=lambda place: int(place.name))
    found = [place for place in map(_found, places) if place is not None]
    last = _found(run) or _found(shipped)
    if last is not None:
        found.append(last)
    if len(found) > 1 and _env_steps(found[-1]) == _env_steps(found[-2]):
        found.pop()
    return found


def _found(place: Path) -> Path | None:
    """None for one that is under way or not begun: `_missing` names its commands."""
    try:
        return find_checkpoint(place)
    except UserError:
        return None


def _env_steps(checkpoint: Path) -> int | None:
    from agent.commands.checkpoints import origin_of_checkpoint

    return origin_of_checkpoint(checkpoint).bought_with.env_steps


def is_measured(point: Point) -> bool:
    """Whether the curve has this checkpoint on this protocol and these episodes, or more."""
    from agent.evaluation.curves import read_curve
    from agent.model.bundle import bundle_sha256

    if not point.path.exists() or point.job.checkpoint is None:
        return False
    wanted = (point.job.protocol, point.job.seed, bundle_sha256(point.job.checkpoint))
    return any(
        (p["protocol"], p["seed"], p["checkpoint_sha256"]) == wanted
        and p["episodes"] >= point.job.episodes
        for p in read_curve(point.path)["points"]
    )


def _keep(point: Point, result: dict[str, Any]) -> None:
    from agent.commands.console import note, say
    from agent.data.json_files import write_json
    from agent.evaluation.curves import new_curve, read_curve, with_point

    fresh = new_curve(point.controller, point.training_seed)
    curve = read_curve(point.path) if point.path.exists() else fresh
    try:
        write_json(point.path, with_point(curve, result))
    except UserError as error:
        note(f"not kept: {error}", style="yellow")
    else:
        steps = result["bought_with"]["env_steps"]
        say(f"{point.path}: {point.job.protocol} after {steps} env steps")


def _missing(asked: Compare) -> Iterator[str]:
    """Commands for the checkpoints of points that are neither measured nor to be measured now."""
    for training, seed in _trainings(asked):
        done = _steps_measured(asked, training, seed)
        for steps, places, commands in _wanted(asked, training, seed):
            if steps not in done and first_finished(places, steps) is None:
                yield from commands


def _wanted(
    asked: Compare, training: Training, seed: int
) -> Iterator[tuple[int | None, list[Path], list[str]]]:
    """Env steps, where the checkpoint may be, and the commands that make it.

    A training that keeps checkpoints along its way makes all points at once, which the one that is
    shipped does not hold.
    """
    shipped = [training.shipped(seed)] if training.points else []
    own = [training.out(asked.runs, seed), *shipped]
    yield training.env_steps, own, training.commands_for(asked.runs, seed)
    for place, commands in training.commands_for_points(asked.runs, seed).items():
        yield int(place.name), [place], commands


def _steps_measured(asked: Compare, training: Training, seed: int) -> set[int]:
    """The env steps at which the curve has all that is asked."""
    from agent.evaluation.curves import read_curve

    path = _path(asked, training, seed)
    points = read_curve(path)["points"] if path.exists() else []
    enough = {
        (p["bought_with"]["env_steps"], p["protocol"])
        for p in points
        if p["seed"] == asked.seed and p["episodes"] >= asked.count
    }
    wanted = _protocols(asked, training)
    return {steps for steps, _ in enough if all((steps, name) in enough for name in wanted)}


def _protocols(asked: Compare, training: Training) -> list[str]:
    return [name for name in asked.protocols or training.curve if name in training.curve]


def _path(asked: Compare, training: Training, seed: int) -> Path:
    return asked.place / f"{training.name}-{seed}.json"


def _trainings(asked: Compare) -> Iterator[tuple[Training, int]]:
    for seed in asked.training_seeds:
        for training in trainings_known():
            if training.curve and asked.takes_part(training.controller):
                yield training, seed
