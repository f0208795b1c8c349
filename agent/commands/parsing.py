"""From words on the command line to a command; tyro reads the flags."""

from __future__ import annotations

import inspect
from collections.abc import Sequence

from agent.commands.command import Command, Entry, Group, Table, TakesSettings
from agent.commands.console import say
from agent.commands.flag_checks import HELP_FLAGS, check_flags, split_settings, unknown
from agent.errors import UserError


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
    command = tyro.cli(
        kind,
        prog=program,
        description="",
        args=words,
        config=(tyro.conf.OmitArgPrefixes, tyro.conf.FlagCreatePairsOff),
    )
    if isinstance(command, TakesSettings):
        command.settings.update(settings)
    return command
