"""From words on the command line to a command, and back; tyro reads the flags."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import shlex
import textwrap
import typing
from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Any, cast

from rich.table import Table as Grid

from agent.commands.command import Command, Entry, Group, Table
from agent.commands.console import results, say
from agent.commands.flag_checks import HELP_FLAGS, check_flags, flags_of, split_settings, unknown
from agent.commands.idle_flags import is_given
from agent.errors import UserError

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


def find(table: Table, words: Sequence[str]) -> tuple[Entry | Group | None, list[str], list[str]]:
    """What ``words`` name in ``table``, the names used, and the words left for it.

    None where help of the whole table is asked for. UserError, with the nearest name, if a word
    names nothing.
    """
    if not words or words[0] in HELP_FLAGS:
        return None, [], []
    found = table.get(words[0])
    if found is None:
        raise UserError(unknown("subcommand", words[0], table))
    if isinstance(found, Entry):
        return found, [words[0]], list(words[1:])
    inner, names, rest = find(found.entries, words[1:])
    return inner or found, [words[0], *names], rest


def parse(entry: Entry, program: str, words: Sequence[str]) -> Command:
    """The command with its flags. tyro prints help or mistakes itself and raises SystemExit."""
    import tyro

    kind = entry.load()
    words, settings = split_settings(kind, words)
    check_flags(kind, words)
    if any(word in HELP_FLAGS for word in words):
        say(f"{inspect.getdoc(kind)}\n")  # not left to tyro, which joins lines into long ones
        _join_lines_of_fields(kind)
    command: Any = tyro.cli(
        kind,
        prog=program,
        description="",
        args=words,
        config=(tyro.conf.OmitArgPrefixes, tyro.conf.FlagCreatePairsOff),
    )
    if settings:
        command.settings.update(settings)
    return cast(Command, command)


def _join_lines_of_fields(kind: type[Command]) -> None:
    """Help of a flag is one text: below a field, tyro takes the source's line breaks for meant."""
    import tyro

    try:
        source = textwrap.dedent(inspect.getsource(kind))
    except OSError:  # installed without sources
        return
    body = cast(ast.ClassDef, ast.parse(source).body[0]).body
    hints = typing.get_type_hints(kind, include_extras=True)
    for field, below in pairwise(body):
        text = below.value if isinstance(below, ast.Expr) else None
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Constant):
            name, said = cast(ast.Name, field.target).id, " ".join(str(text.value).split())
            kind.__annotations__[name] = Annotated[hints[name], tyro.conf.arg(help=said)]


def line_of(command: Any) -> str:
    """The line for a shell that asks for ``command``, whose flags all have names.

    What is as usual is left out.
    """
    kind, words = type(command), ["python", "run_agent.py", type(command).__name__.lower()]
    fields = (field for field in dataclasses.fields(command) if field.init)
    for field, flag in zip(fields, flags_of(kind), strict=True):
        if is_given(command, field):
            value = getattr(command, field.name)
            values = value if isinstance(value, tuple) else () if value is True else (value,)
            words += [flag, *map(str, values)]
    return shlex.join(words)
