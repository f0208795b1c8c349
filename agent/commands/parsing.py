"""From words on the command line to a command: tyro for the flags, nearest names for typos."""

from __future__ import annotations

import difflib
import inspect
import typing
from collections.abc import Iterable, Sequence

from agent.commands.command import Command, Entry, Group, Table
from agent.commands.console import say
from agent.errors import UserError

HELP_FLAGS = ("-h", "--help")


def find(table: Table, words: Sequence[str]) -> tuple[Entry | Group | None, list[str], list[str]]:
    """What ``words`` name in ``table``, the names used, and the words left for it.

    None where help of the whole table is asked for. UserError, with the nearest name, if a word
    names nothing.
    """
    if not words or words[0] in HELP_FLAGS:
        return None, [], []
    found = table.get(words[0])
    if found is None:
        raise UserError(_unknown("subcommand", words[0], table))
    if isinstance(found, Entry):
        return found, [words[0]], list(words[1:])
    inner, names, rest = find(found.entries, words[1:])
    return inner or found, [words[0], *names], rest


def parse(entry: Entry, program: str, words: Sequence[str]) -> Command:
    """The command with its flags. tyro prints help or mistakes itself and raises SystemExit."""
    import tyro

    kind = entry.load()
    _check_flags(kind, words)
    if any(word in HELP_FLAGS for word in words):
        say(f"{inspect.getdoc(kind)}\n")  # not left to tyro, which joins lines into long ones
    return tyro.cli(
        kind,
        prog=program,
        description="",
        args=words,
        config=(tyro.conf.OmitArgPrefixes, tyro.conf.FlagCreatePairsOff),
    )


def _check_flags(kind: type[Command], words: Sequence[str]) -> None:
    """Refuse unknown flags and choices; tyro does too, but not always with the nearest name."""
    hints = typing.get_type_hints(kind)
    flags = {f"--{name.replace('_', '-')}": hint for name, hint in hints.items()}
    for number, word in enumerate(words):
        if not word.startswith("--") or word in ("--", *HELP_FLAGS):
            continue
        name, joined, value = word.partition("=")
        flag = name.replace("_", "-")
        if flag not in flags:
            raise UserError(_unknown("flag", name, flags))
        if typing.get_origin(flags[flag]) is typing.Literal:
            given = [value] if joined else words[number + 1 : number + 2]
            _check_choice(flag, given, typing.get_args(flags[flag]))


def _check_choice(flag: str, given: Sequence[str], choices: Sequence[str]) -> None:
    for value in given:
        if value not in choices:
            raise UserError(_unknown(f"choice for {flag}", value, choices))


def _unknown(what: str, got: str, known: Iterable[str]) -> str:
    names = list(known)
    nearest = difflib.get_close_matches(got, names, n=1, cutoff=0.5)
    hint = f"; did you mean {nearest[0]!r}?" if nearest else "."
    return f"unknown {what}: {got!r}{hint} Expected one of: {', '.join(names)}"
