"""What of a comparison is done, what can be measured now, and what has to be trained first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from agent.commands.checkpoints import first_finished
from agent.commands.matrix import Wanted
from agent.errors import UserError

DONE, READY, UNTRAINED, OUTDATED = "done", "to measure", "to train first", "outdated"


@dataclass(frozen=True)
class State:
    """How far a file of the comparison is; ``expected_s`` is None where nothing is known yet.

    ``progress``: ``DONE``, ``READY``, ``UNTRAINED`` or ``OUTDATED``.
    Outdated: measured with another checkpoint, on other episodes or on fewer than asked for now.
    """

    wanted: Wanted
    progress: str
    checkpoint: Path | None
    expected_s: float | None


def states_of(wanted: Sequence[Wanted], runs: Path, measured: Path) -> list[State]:
    """The state of each file; times are told from what ``measured`` holds already."""
    speeds = seconds_per_step(measured)
    states = []
    for cell in wanted:
        checkpoint = checkpoint_of(cell, runs)
        speed = speeds.get(cell.controller)
        expected_s = None if speed is None else speed * cell.episodes * _budget_steps(cell)
        states.append(State(cell, _progress(cell, checkpoint), checkpoint, expected_s))
    return states


def checkpoint_of(cell: Wanted, runs: Path) -> Path | None:
    """The checkpoint a cell is measured with; None if it needs none or it is not there.

    One's own training goes before the one that came with the repository, if it is finished.
    """
    if cell.training is None or cell.training_seed is None:
        return None
    training, seed = cell.training, cell.training_seed
    return first_finished((training.out(runs, seed), training.shipped(seed)), training.env_steps)


def _progress(cell: Wanted, checkpoint: Path | None) -> str:
    if cell.path.exists():
        return DONE if _is_current(cell, checkpoint) else OUTDATED
    return UNTRAINED if cell.training and checkpoint is None else READY


def _is_current(cell: Wanted, checkpoint: Path | None) -> bool:
    """Whether the file answers what is asked: these episodes, or these and more.

    A checkpoint that is gone cannot contradict it.
    """
    from agent.evaluation.results import read_result
    from agent.model.bundle import bundle_sha256

    result = read_result(cell.path)
    if result["seed"] != cell.seed or result["episodes"] < cell.episodes:
        return False
    return checkpoint is None or bool(result["checkpoint_sha256"] == bundle_sha256(checkpoint))


def _budget_steps(cell: Wanted) -> int:
    from agent.evaluation.protocols import protocol_named

    return protocol_named(cell.protocol).budget_steps


def seconds_per_step(directory: Path) -> dict[str, float]:
    """Wall clock of one env step of one episode by controller, median over its files."""
    from agent.evaluation.protocols import PROTOCOLS
    from agent.evaluation.results import read_result

    found: dict[str, list[float]] = {}
    for result in map(read_result, directory.glob("*.json")):
        protocol = PROTOCOLS.get(result["protocol"])
        if protocol is not None and result["wall_clock_s"] is not None:
            steps = result["episodes"] * protocol.budget_steps
            found.setdefault(result["controller"], []).append(result["wall_clock_s"] / steps)
    return {name: median(speeds) for name, speeds in found.items()}


def measure_cells(states: Sequence[State], workers: int) -> None:
    """Measure what is ready and write each file as soon as it is known.

    A refusal is shown and costs one file; the others are measured.
    """
    from agent.commands.console import note, say
    from agent.commands.measuring import measure_each
    from agent.data.json_files import write_json

    ready = [state for state in states if state.progress == READY]
    jobs = [state.wanted.measurement(state.checkpoint) for state in ready]
    for number, outcome in measure_each(jobs, workers) if jobs else ():
        if isinstance(outcome, UserError):
            note(f"not measured: {ready[number].wanted.path.name}: {outcome}", style="yellow")
        else:
            write_json(ready[number].wanted.path, outcome)
            say(f"wrote {ready[number].wanted.path}")
