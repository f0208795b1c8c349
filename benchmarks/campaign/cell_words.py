"""What a cell says, in words: for Markdown and for the page alike."""

from __future__ import annotations

from collections.abc import Sequence

from agent.evaluation.provenance import DIRTY
from agent.reporting.results_table import duration
from benchmarks.campaign.cells import Cell
from benchmarks.campaign.resampling import Estimate

NOTHING, TIMES = "\N{EN DASH}", "\N{MULTIPLICATION SIGN}"
UNMEASURED = "has been measured yet."  # ends what is said in place of a table
GOALS_HEAD = (
    "controller", f"seeds {TIMES} episodes", "touch %", "held %", "median error [rad]",
    "tick [ms], p50 / p95", "env steps", "training, memory",
)  # fmt: skip
RETURNS_HEAD = (*GOALS_HEAD[:2], "mean return", "interquartile mean", *GOALS_HEAD[-2:])


def goal_row(cell: Cell) -> list[str]:
    """What a controller reached and for what price, under ``GOALS_HEAD``."""
    error, tick = cell.median_error(), cell.decision_ms()
    return [
        cell.controller,
        counts(cell),
        percent(cell.rate("first_touch")),
        percent(cell.rate("held")),
        NOTHING if error is None else f"{error:.4f}",
        NOTHING if tick is None else f"{tick[0]:.1f} / {tick[1]:.1f}",
        env_steps(cell),
        training(cell) or NOTHING,
    ]


def return_row(cell: Cell) -> list[str]:
    """What a controller was paid and for what price, under ``RETURNS_HEAD``."""
    paid = [number(found, 0) for found in cell.mean_return()]
    price = [env_steps(cell), training(cell) or NOTHING]
    return [cell.controller, counts(cell), *paid, *price]


def percent(rate: Estimate | None) -> str:
    """A rate in per cent with its interval."""
    if rate is None:
        return NOTHING
    return number(Estimate(*(100 * x for x in (rate.value, rate.low, rate.high))), 1)


def number(found: Estimate, digits: int) -> str:
    """A number with its interval in brackets."""
    value, low, high = (f"{x:.{digits}f}" for x in (found.value, found.low, found.high))
    return f"{value} ({low} to {high})"


def env_steps(cell: Cell) -> str:
    """What the training saw."""
    steps = cell.price("env_steps")
    if steps is not None:
        return thousands(steps)
    learned = any(result["checkpoint_sha256"] for result in cell.results)
    return "not recorded" if learned else NOTHING


def thousands(count: float) -> str:
    """80 000, with a space that does not look like a decimal sign anywhere."""
    return f"{count:,.0f}".replace(",", " ")


def training(cell: Cell) -> str:
    """Wall clock and peak memory of the training; empty as far as they were not recorded."""
    megabytes = cell.price("memory_mb")
    known = [wall_clock(cell), "" if megabytes is None else f"{megabytes:.0f} MB"]
    return ", ".join(filter(None, known))


def wall_clock(cell: Cell) -> str:
    """Of the training; empty if it was not recorded."""
    seconds = cell.price("training_s")
    return "" if seconds is None else duration(seconds)


def is_uncommitted(commit: str | None) -> bool:
    """Whether a figure of that ``commit`` was made by code that is in no commit, or unknown."""
    return commit is None or commit.endswith(DIRTY)


def counts(cell: Cell) -> str:
    """Training seeds and the episodes of each."""
    return f"{len(cell.results)} {TIMES} {cell.episodes}"


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lines of a table, without an empty one around it."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
