"""Results of evaluations as a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.markup import escape

from agent.commands.console import say, show_rows
from agent.evaluation.statistics import in_digits, in_ms

COLUMNS = ("controller", "touch %", "held %", "steps", "error", "ms")
ABSENT = "-"


def show_scores(results: Sequence[Mapping[str, Any]]) -> None:
    """One line for each result of :func:`agent.evaluation.results.summarise`, of one task."""
    first = results[0]
    count, solved = first["episodes"], first["solved_at_start"]
    counted = f"{count - solved} of {count}" if solved else f"{count}"
    title = f"{first['world']}, {first['protocol']}, {counted} episodes"
    unit = first["final_error"]["unit"]
    named = [f"{name} [{unit}]" if name == "error" and unit else name for name in COLUMNS]
    show_rows(named, [tuple(map(escape, _cells(result))) for result in results], title)
    for result in results:
        paid = result.get("episode_return")  # over all episodes, where the protocol pays a reward
        if paid is not None:
            shown = f"mean {paid['mean']:.1f}, interquartile mean {paid['interquartile_mean']:.1f}"
            say(f"return of {result['controller']}: {shown}")
    say("touch and held with 95 % intervals; steps to the first touch, median; final error,")
    say("median and p90; ms to decide on an action, median and p95")
    say(f"left out because they were solved at the start: {solved}")


def _cells(result: Mapping[str, Any]) -> list[str]:
    error, decision = result["final_error"], result["decision_ms"]
    return [
        result["controller"],
        _rate(result["first_touch"]),
        _rate(result["held"]),
        _shown("{:.0f}".format, result["steps_to_success"]["median"]),
        _shown(in_digits, error["median"], error["p90"]),
        _shown(in_ms, decision["p50"], decision["p95"]),
    ]


def _rate(rate: Mapping[str, float | None]) -> str:
    if rate["rate"] is None:
        return ABSENT
    percent = {name: 100.0 * (value or 0.0) for name, value in rate.items()}
    return f"{percent['rate']:.1f} ({percent['low']:.0f}-{percent['high']:.0f})"


def _shown(form: Callable[[float], str], *values: float | None) -> str:
    return " ".join(ABSENT if value is None else form(value) for value in values)
