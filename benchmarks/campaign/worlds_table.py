"""Every other world than the comparison's, a line a task: the world model beside the floors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from agent.evaluation.statistics import in_digits
from agent.reporting.results_table import OURS, duration
from benchmarks.campaign.cell_words import NOTHING, UNMEASURED, markdown_table
from benchmarks.campaign.tables import Run, has_tables, read_runs

FLOOR = "random"
HEAD = (
    "world", "task", "episodes", "touch %", "held %", "held at random %", "final error, median",
    "training",
)  # fmt: skip


def runs_of_worlds(directory: Path) -> list[Run]:
    """The runs of every subject in ``directory`` and its folders, without their episodes."""
    places = [place for place in (directory, *sorted(directory.glob("*"))) if has_tables(place)]
    return [run for place in places for run in read_runs(place, episodes=False)]


def worlds_table(runs: Sequence[Mapping[str, Any]]) -> str:
    """One Markdown table of ``runs``, ours against the floor on the same episodes."""
    rows = list(_rows(runs))
    return markdown_table(HEAD, rows) if rows else f"No other world {UNMEASURED}"


def _rows(runs: Sequence[Mapping[str, Any]]) -> Iterator[list[str]]:
    floors = {(r["world"], r["protocol"]): r for r in runs if r["controller"] == FLOOR}
    for run in (run for run in runs if run["controller"] == OURS):
        floor = floors.get((run["world"], run["protocol"]))
        yield [
            f"`{run['world']}`", f"`{run['protocol']}`",
            f"{run['episodes'] - run['solved_at_start']}", _percent(run, "first_touch"),
            _percent(run, "held"), NOTHING if floor is None else _percent(floor, "held"),
            _error(run), _training(run),
        ]  # fmt: skip


def _percent(run: Mapping[str, Any], key: str) -> str:
    rate = run[key]
    if rate["rate"] is None:  # no episode counts
        return NOTHING
    return f"{100 * rate['rate']:.1f} ({100 * rate['low']:.0f} to {100 * rate['high']:.0f})"


def _error(run: Mapping[str, Any]) -> str:
    error = run["final_error"]["median"]
    return NOTHING if error is None else f"{in_digits(error)} {run['unit']}"


def _training(run: Mapping[str, Any]) -> str:
    bought = run["bought_with"] or {}
    seconds = bought.get("training_s")
    return NOTHING if seconds is None else duration(seconds)
