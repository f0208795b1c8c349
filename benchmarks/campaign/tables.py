"""A subject's results as two tables: ``runs.csv``, a row a run, and ``episodes.csv.gz``.

A run in memory is a mapping as :func:`agent.evaluation.results.summarise` makes it; in the table
its nested figures are columns such as ``held.rate``, and what is unknown is empty. Floats are
written by ``repr``, rows are sorted and the archive carries no time, so equal content gives equal
bytes. A row ends with the sums of its episodes and of itself, so that neither changes unnoticed.
"""

from __future__ import annotations

import gzip
import io
import json
import logging
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from agent.errors import UserError
from agent.files.durable import explained_disk_errors, make_directory, write_durably
from agent.files.lock import LOCK_NAME, exclusive
from benchmarks.campaign.csv_files import csv_bytes, meanings, sum_of, table_bytes, text_of

RUNS, EPISODES = "runs.csv", "episodes.csv.gz"
TEXTS = (
    "world", "controller", "protocol", "protocol_definition", "unit", "checkpoint_sha256",
    "command", "commit", "hardware", "date",
)  # fmt: skip
NUMBERS = (
    "training_seed", "episodes", "seed", "solved_at_start", "bought_with.env_steps",
    "bought_with.training_s", "bought_with.memory_mb", "first_touch.rate", "first_touch.low",
    "first_touch.high", "held.rate", "held.low", "held.high", "final_error.median",
    "final_error.p90", "steps_to_success.median", "decision_ms.p50", "decision_ms.p95",
    "episode_return.mean", "episode_return.interquartile_mean", "episode_return.median",
    "wall_clock_s",
)  # fmt: skip
COLUMNS = (*TEXTS[:4], *NUMBERS, *TEXTS[4:])
SUMS = ("sum_of_episodes", "sum_of_row")
LINE = (
    "seed", "solved_at_start", "first_touch", "held", "steps_to_success", "final_error",
    "episode_return",
)  # fmt: skip
KEY = ("protocol", "controller", "training_seed")
CURVE_KEY = (*KEY, "bought_with.env_steps")
OPTIONAL = ("bought_with", "episode_return")  # None where nothing of it is known

Run = dict[str, Any]
MAX_EPISODES_BYTES = 2**28  # thirty times what all published runs take
_log = logging.getLogger(__name__)


def as_run(result: Mapping[str, Any]) -> Run:
    """``result`` of an evaluation with the names of the tables."""
    error = dict(result["final_error"])
    return {**result, "unit": error.pop("unit"), "final_error": error}


def run_id(run: Mapping[str, Any], key: Sequence[str] = KEY) -> str:
    """What tells runs of one table apart, as ``anywhere/sac/0``; empty for no training seed."""
    return "/".join(text_of(_get(run, name)) for name in key)


def has_tables(directory: Path) -> bool:
    """Whether there is a table of runs in ``directory``."""
    return (directory / RUNS).is_file()


def read_runs(directory: Path, episodes: bool = True) -> list[Run]:
    """Every run of the subject in ``directory``, with its ``episodes``, which curves do not keep.

    Raises:
        UserError: naming the file, if it is no such table, or a run lacks episodes.
    """
    table = table_bytes(directory / RUNS)
    rows = meanings(directory / RUNS, (*COLUMNS, *SUMS), table, _nested, without=len(SUMS))
    if episodes:
        lines = _read_episodes(directory / EPISODES)
        for run, sum_of_episodes in rows:
            run["per_episode"] = lines.pop(run_id(run), [])
            _require_episodes(directory, run, sum_of_episodes)
        if lines:
            _log.warning(
                "%s lacks %s, whose episodes are known: measure again", directory / RUNS,
                ", ".join(sorted(lines)),
            )  # fmt: skip
    return [run for run, _ in rows]


def put_run(directory: Path, result: Mapping[str, Any], key: Sequence[str] = KEY) -> Run:
    """Add ``result`` to the tables of ``directory``, in place of the run of the same ``key``.

    Raises:
        UserError: if the tables are about another world.
    """
    run = as_run(result)
    with exclusive(directory / LOCK_NAME, directory, wait=True):
        _put(directory, run, key)
    return run


def _put(directory: Path, run: Run, key: Sequence[str]) -> None:
    others = read_runs(directory, _keeps_episodes(key)) if has_tables(directory) else []
    if others and others[0]["world"] != run["world"]:
        raise UserError(
            f"expected a result in {others[0]['world']}, which {directory} is about, got one in "
            f"{run['world']}: name another directory with --out"
        )
    kept = [other for other in others if run_id(other, key) != run_id(run, key)]
    if len(kept) < len(others):  # cut short, a replacement leaves a run that is to be measured
        _write_rows(directory, kept, key)
    write_runs(directory, [*kept, run], key)


def write_runs(
    directory: Path, runs: Sequence[Mapping[str, Any]], key: Sequence[str] = KEY
) -> None:
    """Write both tables, the episodes first; curves (``CURVE_KEY``) keep no episodes."""
    make_directory(directory)
    with explained_disk_errors(directory):
        if _keeps_episodes(key):
            lines = (line for run in _ordered(runs, key) for line in _lines(run))
            table = csv_bytes(("run", "index", *LINE), lines)
            write_durably(directory / EPISODES, gzip.compress(table, 9, mtime=0))
        _write_rows(directory, runs, key)


def _write_rows(directory: Path, runs: Sequence[Mapping[str, Any]], key: Sequence[str]) -> None:
    rows = []
    for run in _ordered(runs, key):
        cells = [text_of(_get(run, name)) for name in COLUMNS]
        cells.append(_sum_of_episodes(run) if _keeps_episodes(key) else "")
        rows.append([*cells, sum_of(cells)])
    with explained_disk_errors(directory):
        write_durably(directory / RUNS, csv_bytes((*COLUMNS, *SUMS), rows))


def _ordered(runs: Sequence[Mapping[str, Any]], key: Sequence[str]) -> list[Mapping[str, Any]]:
    return sorted(runs, key=lambda run: [(_get(run, k) is not None, _get(run, k)) for k in key])


def _sum_of_episodes(run: Mapping[str, Any]) -> str:
    return sum_of(cell for line in _lines(run) for cell in line)


def _require_episodes(directory: Path, run: Run, sum_of_episodes: str) -> None:
    """UserError unless ``run`` has the episodes that its row was written with."""
    if len(run["per_episode"]) != run["episodes"]:
        raise UserError(
            f"expected {run['episodes']} episodes of {run_id(run)} in "
            f"{directory / EPISODES}, got {len(run['per_episode'])}: restore both files"
        )
    if sum_of_episodes and sum_of_episodes != _sum_of_episodes(run):
        raise UserError(
            f"expected the episodes of {run_id(run)} in {directory / EPISODES} that its row was "
            "made of, got others: restore both files"
        )


def _keeps_episodes(key: Sequence[str]) -> bool:
    return tuple(key) != CURVE_KEY


def _lines(run: Mapping[str, Any]) -> Iterable[list[str]]:
    name = run_id(run)
    for index, line in enumerate(run["per_episode"]):
        yield [name, str(index), *(text_of(line[column]) for column in LINE)]


def _get(run: Mapping[str, Any], column: str) -> Any:
    first, _, second = column.partition(".")
    value = run[first]
    return value if not second or value is None else value[second]


def _nested(row: Sequence[str]) -> tuple[Run, str]:
    """A run, and the sum of its episodes, empty where it has none."""
    *cells, sum_of_row = row if len(row) > len(COLUMNS) else (*row, "", sum_of((*row, "")))
    if sum_of_row != sum_of(cells):
        raise ValueError(f"another row than was written (its sum differs): {', '.join(row[:4])}")
    run: Run = {}
    for column, text in zip(COLUMNS, cells[:-1], strict=True):
        first, _, second = column.partition(".")
        value = _value(column, text)
        if second:
            run.setdefault(first, {})[second] = value
        else:
            run[first] = value
    for name in OPTIONAL:
        if all(value is None for value in run[name].values()):
            run[name] = None
    return run, cells[-1]


def _value(column: str, text: str) -> Any:
    if not text:
        return None
    return text if column in TEXTS else json.loads(text)


def _read_episodes(path: Path) -> dict[str, list[dict[str, Any]]]:
    try:
        with gzip.open(io.BytesIO(table_bytes(path))) as file:
            table = file.read(MAX_EPISODES_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"expected {path} to be a gzip archive, got: {error}") from error
    if len(table) > MAX_EPISODES_BYTES:
        raise UserError(f"expected at most {MAX_EPISODES_BYTES >> 20} MiB in {path}, got more")
    found: dict[str, list[dict[str, Any]]] = {}
    for name, line in meanings(path, ("run", "index", *LINE), table, _episode):
        found.setdefault(name, []).append(line)
    return found


def _episode(row: Sequence[str]) -> tuple[str, dict[str, Any]]:
    name, _, seed, solved, touch, held, steps, miss, paid = row
    values = (
        int(seed), solved == "1", touch == "1", held == "1", int(steps) if steps else None,
        float(miss), float(paid) if paid else None,
    )  # fmt: skip
    return name, dict(zip(LINE, values, strict=True))
