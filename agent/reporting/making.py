"""How a run was made: its stages and their times, and all it takes to make it again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.reporting.html import facts, fold, row, table
from agent.reporting.markup import Markup, element, joined
from agent.reporting.results_table import duration
from agent.reporting.style import SERIES


@dataclass(frozen=True)
class Stage:
    """A step of the run, how long it took, and the command that does it alone."""

    name: str
    seconds: float
    command: str


def stages_table(stages: Sequence[Stage]) -> Markup:
    """A bar of the stages' shares of the time, and a line for each."""
    total_s = sum(stage.seconds for stage in stages)
    colours = [SERIES[index % len(SERIES)] for index in range(len(stages))]
    shares, lines = [], []
    for stage, colour in zip(stages, colours, strict=True):
        percent = 100 * stage.seconds / max(total_s, 1e-9)
        style = f"background: {colour}; width: {percent:.2f}%"
        shares.append(
            element("span", style=style, title=f"{stage.name}: {duration(stage.seconds)}")
        )
        swatch = element("span", class_="swatch", style=f"background: {colour}")
        name, command = joined([swatch, stage.name]), element("code", stage.command)
        lines.append(row(name, duration(stage.seconds), command))
    lines.append(row("Together", duration(total_s), ""))
    bar = element("div", *shares, class_="shares")
    return joined([bar, table(("Stage", "Time", "Command"), lines, wordy=True)])


def trail(
    results: Sequence[Mapping[str, Any]], hardware: str, versions: Mapping[str, str]
) -> Markup:
    """Machine, versions, and the command and checkpoint behind each line of the result table."""
    packages = ", ".join(f"{name} {version}" for name, version in versions.items())
    lines = [
        row(
            f"{result['controller']}, {result['protocol']}",
            element("code", result.get("command") or "not recorded"),
            element("code", result.get("checkpoint_sha256") or "none"),
        )
        for result in results
    ]
    commands = table(("Result", "Command", "Checkpoint SHA-256"), lines, wordy=True)
    return joined(
        [
            facts({"Hardware": hardware, "Versions": packages}),
            fold("The command and checkpoint behind each result", commands),
        ]
    )
