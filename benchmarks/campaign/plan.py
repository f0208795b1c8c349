"""What is left of a comparison, for people: counts, times, and the commands to train with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.campaign.measuring import DONE, OUTDATED, READY, UNTRAINED, State

if TYPE_CHECKING:
    from rich.table import Table


def show_plan(states: Sequence[State], workers: int) -> None:
    """A line a controller: how many runs are done, how many are left, and for how long."""
    from agent.commands.console import say, show_table

    show_table(_plan_table(states))
    outdated = [state.wanted.name for state in states if state.progress == OUTDATED]
    if outdated:
        say(
            "outdated, of another checkpoint, commit or definition, other or fewer episodes: "
            f"{_named(outdated)}; `measure --again` replaces them"
        )
    ready = [state for state in states if state.progress == READY]
    known = sum(state.expected_s or 0.0 for state in ready) / workers
    unknown = sum(state.expected_s is None for state in ready)
    say(f"to measure now: {len(ready)} of {len(states)} runs, {_expected(known, unknown)}")


def _named(names: Sequence[str], shown: int = 3) -> str:
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more


def _plan_table(states: Sequence[State]) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(title="comparison, runs", title_justify="left", box=SIMPLE_HEAD)
    for column in ("controller", DONE, READY, UNTRAINED, OUTDATED, "time left"):
        table.add_column(
            column,
            no_wrap=column == "controller",
            justify="left" if column == "controller" else "right",
        )
    for name in dict.fromkeys(state.wanted.controller for state in states):
        mine = [state for state in states if state.wanted.controller == name]
        counts = [sum(s.progress == p for s in mine) for p in (DONE, READY, UNTRAINED, OUTDATED)]
        left = [s for s in mine if s.progress in (READY, UNTRAINED)]
        seconds = sum(state.expected_s or 0.0 for state in left)
        unknown = sum(state.expected_s is None for state in left)
        time = _expected(seconds, unknown) if left else ""
        table.add_row(name, *(str(count or "") for count in counts), time)
    return table


def _expected(seconds: float, unknown: int) -> str:
    from agent.commands.progress import duration

    if seconds == 0.0:
        return "not timed yet" if unknown else "nothing left"
    return f"{duration(seconds)}{f' and {unknown} not timed yet' if unknown else ''}"


def show_commands(states: Sequence[State], runs: Path) -> None:
    """The trainings that are missing, as commands to run one after the other, and their times."""
    from agent.commands.console import say

    untrained = [state.wanted for state in states if state.progress == UNTRAINED]
    show_lines(
        command
        for wanted in untrained
        if wanted.training is not None
        for command in wanted.training.commands_for(runs, wanted.training_seed or 0)
    )
    times = training_times(states)
    for name in dict.fromkeys(wanted.controller for wanted in untrained):
        say(f"  one training of {name}: {_time(times.get(name))}")


def _time(seconds: float | None) -> str:
    from agent.commands.progress import duration

    return "not timed yet" if seconds is None else duration(seconds)


def training_times(states: Sequence[State]) -> dict[str, float]:
    """Seconds of one training by controller, median over what is trained."""
    from agent.commands.checkpoints import origin_of_checkpoint

    found: dict[str, set[Path]] = {}
    for state in states:
        places = {state.checkpoint} if state.checkpoint else set()
        found[state.wanted.controller] = found.get(state.wanted.controller, set()) | places
    seconds = {
        name: [origin_of_checkpoint(place)["bought_with"]["training_s"] for place in places]
        for name, places in found.items()
    }
    known = {name: [t for t in times if t is not None] for name, times in seconds.items()}
    return {name: median(times) for name, times in known.items() if times}


def show_lines(commands: Iterable[str]) -> None:
    """Commands, each once, under a headline; nothing if there is none."""
    from agent.commands.console import say

    lines = list(dict.fromkeys(commands))
    if lines:
        say("checkpoints that are missing are made with")
        say("\n".join(f"  {line}" for line in lines))
