"""Help that lists subcommands."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table as Grid

from agent.commands.command import Table
from agent.commands.console import results, say

EXIT_CODES = (
    "exit codes: 0 done, 2 your mistake, 3 damaged data or checkpoint,\n"
    "4 the machine (no OpenGL, disk full), 130 interrupted with everything saved.\n"
    "LEJEPA_DEBUG=1 shows tracebacks and log lines."
)


def show_overview(program: str, about: str, table: Table, examples: Sequence[str]) -> None:
    """Print what ``program`` is and what each of its subcommands does."""
    say(f"usage: {program} SUBCOMMAND [FLAGS]\n\n{about}\n")
    grid = Grid.grid(padding=(0, 3, 0, 2))
    for name, entry in table.items():
        grid.add_row(f"[bold]{name}[/bold]", entry.summary)
    results.print(grid)
    say(f"\n{program} SUBCOMMAND --help explains one and its flags.")
    if examples:
        say("\nexamples:\n" + "\n".join(f"  {example}" for example in examples))
        say(f"\n{EXIT_CODES}")
