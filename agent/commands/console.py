"""The two streams of the command line: results to stdout, everything else to stderr."""

from __future__ import annotations

import logging
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TextIO, cast

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape, render
from rich.measure import Measurement
from rich.table import Column, Table

from agent.streams import PatientStream

DEBUG_VARIABLE = "LEJEPA_DEBUG"
PROSE_COLUMNS = 16  # of the terminal, that a column of prose needs at least
PIPE_COLUMNS = 100_000

results = Console(file=cast(TextIO, PatientStream("stdout")), highlight=False, emoji=False)
notes = Console(
    file=cast(TextIO, PatientStream("stderr")), stderr=True, highlight=False, emoji=False
)


def be_quiet(quiet: bool) -> None:
    """Say nothing from now on; or speak again."""
    results.quiet = notes.quiet = quiet


def debugging() -> bool:
    """Whether the user asked for tracebacks and all log lines."""
    return os.environ.get(DEBUG_VARIABLE, "") not in ("", "0")


def show_logs() -> None:
    """Send warnings of the libraries, and more when debugging, to the notes."""
    from rich.logging import RichHandler

    handler = RichHandler(console=notes, show_time=False, show_path=debugging())
    level = logging.DEBUG if debugging() else logging.WARNING
    logging.basicConfig(level=logging.WARNING, format="%(message)s", handlers=[handler])
    for room in ("agent", "envs", "planners"):
        logging.getLogger(room).setLevel(level)


def show_facts(title: str, facts: Mapping[str, object]) -> None:
    """Print names and values as a table of two columns."""
    table = Table(title=escape(title), title_justify="left", show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(justify="right", overflow="fold")
    for name, value in facts.items():
        table.add_row(escape(name), escape(str(value)))
    show_table(table)


def show_rows(
    header: Sequence[str],
    rows: Iterable[Sequence[str]],
    title: str = "",
    folding: Collection[str] = (),
) -> None:
    """Print a table of texts; cells may have markup, ``folding`` columns may wrap."""
    table = Table(title=escape(title), title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in header:
        folds = name in folding
        table.add_column(escape(name), no_wrap=not folds, overflow="fold" if folds else "ellipsis")
    for row in rows:
        table.add_row(*row)
    show_table(table)


def show_table(table: Table) -> None:
    """Print ``table`` without losing a letter: a pipe has all the width there is.

    On a terminal columns with ``overflow="fold"`` may wrap; where the others do not fit, each row
    becomes lines ``name  value``.
    """
    if not results.is_terminal:
        boundless = results.options.update(max_width=PIPE_COLUMNS)
        table.width = Measurement.get(results, boundless, table).maximum
    elif sum(3 + _least_width(column) for column in table.columns) + 1 > results.width:
        _show_stacked(table)
        return
    results.print(table, crop=False)


def _show_stacked(table: Table) -> None:
    if table.title:
        say(render(str(table.title), emoji=False).plain)
    for row in zip(*(column.cells for column in table.columns), strict=True):
        for column, cell in zip(table.columns, row, strict=True):
            results.print(f"{column.header}  {cell}".strip(), soft_wrap=True)
        say("")


def _least_width(column: Column) -> int:
    texts = [render(str(text), emoji=False).plain for text in (column.header, *column.cells)]
    widest = max(cell_len(line) for text in texts for line in text.split("\n"))
    return min(widest, PROSE_COLUMNS) if column.overflow == "fold" else widest


def say(text: str) -> None:
    """Print one line of result, as it is."""
    results.print(text, markup=False, soft_wrap=True)


def note(text: str, style: str = "") -> None:
    """Print one line that is not a result: what goes on, or went wrong."""
    notes.print(text, markup=False, soft_wrap=True, style=style or None)
