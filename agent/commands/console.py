"""The two streams of the command line: results to stdout, everything else to stderr."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping

from rich.console import Console
from rich.markup import escape
from rich.table import Table

DEBUG_VARIABLE = "LEJEPA_DEBUG"
UNITS = {"rad_s": "rad/s", "mb": "MB", "px": "px", "min": "min", "rad": "rad", "ms": "ms", "s": "s"}

results = Console(highlight=False)
notes = Console(stderr=True, highlight=False)


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
    table = Table(title=title, title_justify="left", show_header=False)
    table.add_column(style="bold")
    table.add_column(justify="right", overflow="fold")
    for name, value in facts.items():
        table.add_row(escape(_readable(name)), escape(str(value)))
    results.print(table)


def _readable(name: str) -> str:
    """``mean_speed_rad_s`` as people write it: ``mean speed [rad/s]``."""
    for suffix, unit in UNITS.items():
        if name.endswith(f"_{suffix}"):
            return f"{name.removesuffix(f'_{suffix}').replace('_', ' ')} [{unit}]"
    return name.replace("_", " ")


def say(text: str) -> None:
    """Print one line of result, as it is."""
    results.print(text, markup=False, soft_wrap=True)


def note(text: str, style: str = "") -> None:
    """Print one line that is not a result: what goes on, or went wrong."""
    notes.print(text, markup=False, soft_wrap=True, style=style or None)
