"""Measuring the checkpoints along trainings: success and return against experience."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.commands.worlds_asked import DEFAULT_WORLD, WorldAsked
from agent.errors import UserError
from agent.model.shipped import find_checkpoint
from benchmarks.campaign.curve_points import Point, is_measured, keep_point, points_in
from benchmarks.campaign.finished import finished_or_none
from benchmarks.campaign.matrix import POINTS, TRAININGS, Training
from benchmarks.campaign.tables import CURVE_KEY, run_id

if TYPE_CHECKING:
    from benchmarks.campaign.campaign import Campaign


def measure_curves(asked: Campaign) -> None:
    """Measure the points that no curve has yet, and list the trainings that are missing."""
    from agent.commands.console import note, say
    from agent.commands.measuring import measure_each
    from benchmarks.campaign.plan import show_lines

    known = points_in(asked.place)
    points = [point for point in points_of(asked) if not is_measured(point, known)]
    say(f"to measure now: {len(points)} points")
    show_lines(_missing(asked))
    jobs = [point.job for point in points]
    to_do = jobs and not asked.plan
    for number, outcome in measure_each(jobs, asked.workers, asked.cluster) if to_do else ():
        if isinstance(outcome, UserError):
            note(f"not measured: {points[number].job.checkpoint}: {outcome}", style="yellow")
        else:
            _keep(points[number], outcome)
    if not asked.plan:
        say(f"next: python -m benchmarks.campaign report {asked.place.parent}")


def points_of(asked: Campaign) -> Iterator[Point]:
    """Every checkpoint that is there, on every protocol of the curves that it plays."""
    from agent.commands.measurement import Measurement

    for training, seed in _trainings(asked):
        name = training.controller
        for checkpoint in checkpoints_along(training.out(asked.runs, seed)):
            for protocol in _protocols(asked, training):
                job = Measurement(
                    name, checkpoint, WorldAsked(DEFAULT_WORLD), protocol, asked.count, asked.seed
                )
                yield Point(asked.place, name, seed, job)


def checkpoints_along(run: Path) -> list[Path]:
    """The checkpoints in RUN/checkpoints/ by their env steps, then the one the training ended with.

    The last is left out where the one before it has as many env steps.
    """
    numbered = [p for p in (run / POINTS).glob("*") if p.name.isdecimal()]
    places = sorted(numbered, key=lambda place: int(place.name))
    found = [place for place in map(_found, places) if place is not None]
    last = _found(run)
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

    steps: int | None = origin_of_checkpoint(checkpoint)["bought_with"]["env_steps"]
    return steps


def _keep(point: Point, result: Mapping[str, Any]) -> None:
    from agent.commands.console import note, say

    try:
        say(f"{point.place}: {run_id(keep_point(point, result), CURVE_KEY)}")
    except UserError as error:
        note(f"not kept: {error}", style="yellow")


def _missing(asked: Campaign) -> Iterator[str]:
    """Commands for the checkpoints of points that are neither measured nor to be measured now."""
    for training, seed in _trainings(asked):
        done = _steps_measured(asked, training, seed)
        for steps, place, commands in _wanted(asked, training, seed):
            if steps not in done and finished_or_none(place, steps) is None:
                yield from commands


def _wanted(
    asked: Campaign, training: Training, seed: int
) -> Iterator[tuple[int | None, Path, list[str]]]:
    """Env steps, where the checkpoint may be, and the commands that make it.

    A training that keeps checkpoints along its way makes all points at once.
    """
    commands = training.commands_for(asked.runs, seed)
    yield training.env_steps, training.out(asked.runs, seed), commands
    for place, commands in training.commands_for_points(asked.runs, seed).items():
        yield int(place.name), place, commands


def _steps_measured(asked: Campaign, training: Training, seed: int) -> set[int]:
    """The env steps at which the curve has all that is asked."""
    enough = {
        (run["bought_with"]["env_steps"], run["protocol"])
        for run in points_in(asked.place)
        if (run["controller"], run["training_seed"]) == (training.controller, seed)
        and run["seed"] == asked.seed
        and run["episodes"] >= asked.count
    }
    wanted = _protocols(asked, training)
    return {steps for steps, _ in enough if all((steps, name) in enough for name in wanted)}


def _protocols(asked: Campaign, training: Training) -> list[str]:
    return [name for name in asked.protocols or training.curve if name in training.curve]


def _trainings(asked: Campaign) -> Iterator[tuple[Training, int]]:
    for seed in asked.training_seeds:
        for training in TRAININGS:
            if training.curve and asked.takes_part(training.controller):
                yield training, seed
