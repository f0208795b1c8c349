"""The results of all controllers on all protocols, as a table with footnotes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agent.evaluation.statistics import in_digits, in_ms
from agent.reporting.html import group_row, notes, row, table, with_note
from agent.reporting.markup import Markup, joined
from envs import HELD_S

Result = Mapping[str, Any]
OURS = "world-model"
NOTHING = "\N{EN DASH}"
ABOUT = {
    OURS: "sees pictures only",
    "sac": "sees the true state, trained on reward",
    "random": "random actions",
    "noop": "no action",
}
HEADER = (
    ("Controller", ""),
    ("First touch", "%, interval"),
    ("Held", "%, interval"),
    ("Final error", "median, p90"),
    ("Time to touch", "median"),
    ("Decision", "ms, p50 / p95"),
    ("Experience", "env steps, training"),
    ("Episodes", "counted, time taken"),
)


def results_table(results: Sequence[Result]) -> Markup:
    """Controllers grouped by protocol."""
    lines = []
    for protocol in protocols_of(results):
        lines.append(group_row(f"Protocol {protocol}", len(HEADER)))
        lines += [_row(r) for r in results if r["protocol"] == protocol]
    header = [with_note(name, about) for name, about in HEADER]
    return joined([table(header, lines), notes(_footnotes(results))])


def protocols_of(results: Sequence[Result]) -> list[str]:
    """Names of the protocols, each once, in the order they come."""
    return list(dict.fromkeys(result["protocol"] for result in results))


def duration(seconds: float | None) -> str:
    """Seconds in the unit people would choose."""
    if seconds is None:
        return NOTHING
    if seconds < 90:
        return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def percent(rate: Mapping[str, float | None]) -> str:
    """A rate as 98.7, a dash if there was no trial."""
    return NOTHING if rate["rate"] is None else f"{100 * rate['rate']:.1f}"


def interval(rate: Mapping[str, float | None]) -> str:
    """The ends of a rate's interval in per cent, nothing if there was no trial."""
    if rate["low"] is None or rate["high"] is None:
        return ""
    return f"{100 * rate['low']:.1f} to {100 * rate['high']:.1f}"


def milliseconds(value: float | None) -> str:
    """A time, a dash if there is none."""
    return NOTHING if value is None else in_ms(value)


def _row(result: Result) -> Markup:
    name = result["controller"]
    return row(
        with_note(name, ABOUT.get(name, "")),
        *(
            with_note(percent(result[key]), interval(result[key]))
            for key in ("first_touch", "held")
        ),
        *_precision(result),
        _decision(result["decision_ms"]),
        _experience(result["bought_with"]),
        _counted(result),
        emphasised=name == OURS,
    )


def _precision(result: Result) -> tuple[str, str]:
    error, steps = result["final_error"], result["steps_to_success"]["median"]
    median, p90 = (figures(x, error["unit"]) for x in (error["median"], error["p90"]))
    time = NOTHING if steps is None else f"{steps * result['step_s']:.2f} s"
    return with_note(median, p90), with_note(time, "" if steps is None else f"{steps:g} steps")


def in_groups(count: int) -> str:
    """A large number with its thousands apart."""
    return f"{count:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def figures(value: float | None, unit: str) -> str:
    """A number with as many digits as tell it from 0, and its unit."""
    return NOTHING if value is None else f"{in_digits(value)} {unit}".strip()


def _counted(result: Result) -> str:
    counted = result["episodes"] - result["solved_at_start"]
    return with_note(f"{counted} of {result['episodes']}", duration(result.get("wall_clock_s")))


def _decision(times: Mapping[str, float | None]) -> str:
    return f"{milliseconds(times['p50'])} / {milliseconds(times['p95'])}"


def _experience(bought: Mapping[str, Any] | None) -> str:
    if bought is None:
        return "none"
    steps = NOTHING if bought["env_steps"] is None else in_groups(bought["env_steps"])
    return with_note(steps, duration(bought["training_s"]))


def _footnotes(results: Sequence[Result]) -> list[tuple[str, str]]:
    rates = (
        "share of episodes, below it the Wilson 95 % interval. First touch: within tolerance at "
        f"any moment. Held: within tolerance for the whole last {HELD_S:g} s of the budget. "
        "Episodes whose goal was already reached at the start are left out."
    )
    tick_s = results[0]["step_s"] if results else 0.0
    decision = (
        "wall-clock time from observation to action, one at a time; one action is due per control "
        f"tick of {tick_s:g} s, which is also an env step."
    )
    rules = {result["protocol"]: result["rule"] for result in results}
    return [("Rates", rates), ("Decision", decision), *rules.items()]
