"""Results of evaluations as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from agent.commands.console import results as stream
from agent.commands.console import say

COLUMNS = ("controller", "touch %", "held %", "steps", "error [rad]", "ms")
ABSENT = "-"


def show_scores(title: str, results: Sequence[Mapping[str, Any]]) -> None:
    """One line for each result of :func:`agent.evaluation.results.summarise`."""
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for column in COLUMNS:
        table.add_column(escape(column), no_wrap=True)
    for result in results:
        table.add_row(*_cells(result))
    stream.print(table)
    for result in results:
        _say_return(result)
    solved = results[0]["solved_at_start"]
    say("touch and held with 95 % intervals; steps to the first touch, median; final error,")
    say("median and p90; ms to decide on a torque, median and p95")
    say(f"left out because they were solved at the start: {solved}")


def _say_return(result: Mapping[str, Any]) -> None:
    """Over all episodes, where the protocol pays a reward."""
    paid = result.get("episode_return")
    if paid is not None:
        figures = f"mean {paid['mean']:.1f}, interquartile mean {paid['interquartile_mean']:.1f}"
        say(f"return of {result['controller']} out of 1000: {figures}")


def _cells(result: Mapping[str, Any]) -> list[str]:
    error, decision = result["final_error_rad"], result["decision_ms"]
    return [
        result["controller"],
        _rate(result["first_touch"]),
        _rate(result["held"]),
        _number(result["steps_to_success"]["median"], ".0f"),
        f"{_number(error['median'], '.3f')} {_number(error['p90'], '.3f')}",
        f"{_number(decision['p50'], '.1f')} {_number(decision['p95'], '.1f')}",
    ]


def _rate(rate: Mapping[str, float | None]) -> str:
    if rate["rate"] is None:
        return ABSENT
    percent = {name: 100.0 * (value or 0.0) for name, value in rate.items()}
    return f"{percent['rate']:.1f} ({percent['low']:.0f}-{percent['high']:.0f})"


def _number(value: float | None, form: str) -> str:
    return ABSENT if value is None else format(value, form)
