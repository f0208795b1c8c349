"""What of a comparison is done, what can be measured now, and what has to be trained first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from agent.errors import UserError
from benchmarks.campaign.finished import finished_or_none
from benchmarks.campaign.matrix import Wanted
from benchmarks.campaign.subject import is_defined_alike, task, tasks
from benchmarks.campaign.tables import Run, has_tables, put_run, read_runs, run_id

DONE, READY, UNTRAINED, OUTDATED = "done", "to measure", "to train first", "outdated"


@dataclass(frozen=True)
class State:
    """How far a run of the comparison is; ``expected_s`` is None where nothing is known yet.

    ``progress``: ``DONE``, ``READY``, ``UNTRAINED`` or ``OUTDATED``.
    Outdated: measured with another checkpoint, on other episodes, on fewer than asked for now, or
    under a protocol that has been defined anew since, or by another commit than was asked for.
    """

    wanted: Wanted
    progress: str
    checkpoint: Path | None
    expected_s: float | None


def states_of(
    wanted: Sequence[Wanted], runs: Path, measured: Path, commit: str = ""
) -> list[State]:
    """The state of each run; times are told from what ``measured`` holds already.

    Given the beginning of a ``commit``, what another one measured is outdated.
    """
    found = read_runs(measured, episodes=False) if has_tables(measured) else []
    speeds, known = seconds_per_step(found), {run_id(run): run for run in found}
    states = []
    for one in wanted:
        checkpoint = checkpoint_of(one, runs)
        speed = speeds.get(one.controller)
        expected_s = None if speed is None else speed * one.episodes * _budget_steps(one)
        run = known.get(one.name)
        progress = _progress(one, run, checkpoint, commit)
        states.append(State(one, progress, checkpoint, expected_s))
    return states


def checkpoint_of(one: Wanted, runs: Path) -> Path | None:
    """The checkpoint a run is measured with; None if it needs none or it is not there."""
    if one.training is None or one.training_seed is None:
        return None
    return finished_or_none(one.training.out(runs, one.training_seed), one.training.env_steps)


def _progress(one: Wanted, run: Run | None, checkpoint: Path | None, commit: str) -> str:
    if run is not None:
        is_of_commit = str(run["commit"]).startswith(commit)
        return DONE if is_of_commit and _is_current(one, run, checkpoint) else OUTDATED
    return UNTRAINED if one.training and checkpoint is None else READY


def _is_current(one: Wanted, run: Run, checkpoint: Path | None) -> bool:
    """Whether the run answers what is asked: these episodes, or these and more.

    A checkpoint that is gone cannot contradict it, nor a definition that was not recorded.
    """
    from agent.files.bundle import bundle_sha256

    is_other = run["seed"] != one.seed or run["episodes"] < one.episodes
    if is_other or not is_defined_alike(run):
        return False
    return checkpoint is None or bool(run["checkpoint_sha256"] == bundle_sha256(checkpoint))


def _budget_steps(one: Wanted) -> int:
    return task(one.protocol).budget_steps


def seconds_per_step(runs: Sequence[Run]) -> dict[str, float]:
    """Wall clock of one env step of one episode by controller, median over ``runs``."""
    found: dict[str, list[float]] = {}
    for run in runs:
        protocol = tasks().get(run["protocol"])
        if protocol is not None and run["wall_clock_s"] is not None:
            steps = run["episodes"] * protocol.budget_steps
            found.setdefault(run["controller"], []).append(run["wall_clock_s"] / steps)
    return {name: median(speeds) for name, speeds in found.items()}


def measure_runs(
    states: Sequence[State], workers: int, place: Path, again: bool = False, cluster: str = ""
) -> None:
    """Measure what is ready, and ``again`` what is outdated; each is kept as soon as it is known.

    A refusal is shown and costs one run; the others are measured.
    """
    from agent.commands.console import note, say
    from agent.commands.measuring import measure_each

    wanted = (READY, OUTDATED) if again else (READY,)
    ready = [state for state in states if state.progress in wanted]
    jobs = [state.wanted.measurement(state.checkpoint) for state in ready]
    for number, outcome in measure_each(jobs, workers, cluster) if jobs else ():
        name = ready[number].wanted.name
        if isinstance(outcome, UserError):
            note(f"not measured: {name}: {outcome}", style="yellow")
        else:
            put_run(place, outcome)
            say(f"{place}: {name}")
