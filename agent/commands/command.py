"""What a subcommand is, and the table entries that name one without importing it."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


class Command(Protocol):
    """Flags that were parsed, and the job they ask for."""

    def run(self) -> None:
        """Do the job; raise what ``agent.commands.failures`` knows when it cannot be done."""

    @property
    def after_interrupt(self) -> str:
        """What Ctrl-C leaves behind and how to go on, in a sentence or two."""


def imported(home: str) -> Any:
    """What ``package.module:Name`` names."""
    module, name = home.split(":")
    return getattr(importlib.import_module(module), name)


@dataclass(frozen=True)
class Entry:
    """A subcommand by name: ``home`` is ``package.module:Class``, imported when it is needed."""

    home: str
    summary: str

    def load(self) -> type[Command]:
        """The command's dataclass."""
        command: type[Command] = imported(self.home)
        return command


@dataclass(frozen=True)
class Group:
    """A subcommand that has subcommands."""

    summary: str
    entries: Mapping[str, Entry]


Table = Mapping[str, Entry | Group]
