"""Flags are checked before tyro reads them, which refuses too, but not in words one acts on."""

from __future__ import annotations

import dataclasses
import errno
import types
import typing
from collections.abc import Iterable, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

from agent.commands.command import Command
from agent.commands.values import Within, read_number
from agent.errors import UserError
from agent.settings import nearest

HELP_FLAGS = ("-h", "--help")
MAX_SHOWN = 80  # letters of what came


def check_flags(kind: type[Command], words: Sequence[str]) -> None:
    """Refuse unknown flags and choices, with the nearest name, what is no number where one is, and
    a flag that is given twice, of which one would be dropped.

    Raises:
        UserError: naming the flag, what it takes and what came.
    """
    flags = flags_of(kind)
    if words and not words[0].startswith("-") and "--data" in flags:  # all its words have flags
        raise UserError(f"expected a flag before {_shown(words[0])}: --data {_shown(words[0])}?")
    said: set[str] = set()
    for number, word in enumerate(words):
        if not word.startswith("--") or word in ("--", *HELP_FLAGS):
            continue
        name, joined, value = word.partition("=")
        flag = name.replace("_", "-")
        if flag not in flags:
            raise UserError(unknown("flag", name, flags))
        if flag in said:
            raise UserError(
                f"expected {flag} once, got it twice: where it takes several values, they follow "
                "it one after the other"
            )
        said.add(flag)
        to_next_flag = takewhile(lambda word: not word.startswith("--"), words[number + 1 :])
        given = [value] if joined else list(to_next_flag)
        _check_values(flag, given, flags[flag])


def split_settings(kind: type[Command], words: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """The words that are left for flags, and settings ``--room.name VALUE`` by ``room.name``.

    A command takes settings if it has a field ``settings`` that is not initialised, where they go
    before it runs; any other keeps all its words.

    Raises:
        UserError: where a setting has no value, or is given twice.
    """
    rest, coming = [], list(words)
    settings: dict[str, str] = {}
    while coming:
        word = coming.pop(0)
        name, joined, value = word.partition("=")
        is_setting = name.startswith("--") and "." in name
        if "settings" not in _uninitialised(kind) or not is_setting:
            rest.append(word)
            continue
        if not joined and (not coming or coming[0].startswith("--")):
            raise UserError(f"expected {name} with a value, got none")
        setting = name.removeprefix("--").replace("-", "_")
        if setting in settings:
            raise UserError(f"expected {name} once, got it twice")
        settings[setting] = value if joined else coming.pop(0)
    return rest, settings


def _uninitialised(kind: type[Command]) -> set[str]:
    return {one.name for one in dataclasses.fields(kind) if not one.init}  # type: ignore[arg-type]


def flags_of(kind: type[Command]) -> dict[str, Any]:
    """The annotated type that each flag takes, by its name."""
    hints, found = typing.get_type_hints(kind, include_extras=True), {}
    for name in (name for name in hints if name not in _uninitialised(kind)):
        _, notes = _without_notes(hints[name])
        other = next((note.name for note in notes if getattr(note, "name", None)), name)
        found[f"--{other.replace('_', '-')}"] = hints[name]
    return found


def unknown(what: str, got: str, known: Iterable[str]) -> str:
    """That ``got`` is no ``what``, with the nearest of the ``known`` and all of them."""
    names = list(known)
    hint = nearest(got, names) or "."
    return f"unknown {what}: {got!r}{hint} Expected one of: {', '.join(names)}"


def _check_values(flag: str, given: Sequence[str], hint: Any) -> None:
    hint, outer = _without_notes(hint)
    is_optional, hint = _without_none(hint)
    hint, inner = _without_notes(hint)
    if is_optional and given[:1] == ["None"]:
        return
    choices = typing.get_args(hint) if typing.get_origin(hint) is typing.Literal else None
    if choices and given and given[0] not in choices:
        raise UserError(unknown(f"choice for {flag}", given[0], choices))
    if hint is Path and given:
        _check_path(flag, given[0])
    for bounds in (note for note in (*outer, *inner) if isinstance(note, Within)):
        number = _whole(given[0]) if given else None
        if number is not None and not bounds.low <= number <= bounds.high:
            raise UserError(f"expected {flag} {bounds}, got {_shown(given[0])}")
    _check_numbers(flag, given, hint)


def _whole(word: str) -> int | None:
    """As Python reads it, ``+0`` and `` 1`` as well; None for anything else."""
    try:
        return int(word) if len(word) <= MAX_SHOWN else None
    except ValueError:
        return None


def _check_path(flag: str, word: str) -> None:
    """Refuse what names no place, there or not: what is empty, too long, or a link to itself."""
    if not word:
        raise UserError(f"expected {flag} with a path, got an empty one")
    try:
        Path(word).stat()
    except (OSError, ValueError) as error:
        if getattr(error, "errno", None) not in (errno.ENOENT, errno.ENOTDIR, errno.EACCES):
            why = getattr(error, "strerror", error)
            raise UserError(f"expected {flag} with a path, got {_shown(word)} ({why})") from error


def _shown(got: str) -> str:
    return got if len(got) <= MAX_SHOWN else f"{got[:MAX_SHOWN]}…"


def _check_numbers(flag: str, given: Sequence[str], hint: Any) -> None:
    """Refuse what cannot be read as ``hint`` says; other hints than of numbers pass."""
    kinds = typing.get_args(hint) if typing.get_origin(hint) is tuple else (hint,)
    if kinds[0] not in (int, float):
        return
    single, repeated = len(kinds) == 1, kinds[-1] is Ellipsis
    values = given[:1] if single else given  # what follows a single number may be an argument
    counted = bool(values) if repeated else len(values) == len(kinds)
    if counted and all(read_number(kinds[0], value) is not None for value in values):
        return
    count = "a " if single else "" if repeated else f"{len(kinds)} "
    what = f"{'whole ' if kinds[0] is int else ''}number{'' if single else 's'}"
    got = _shown(" ".join(repr(value) for value in values)) or "none"
    raise UserError(f"expected {flag} with {count}{what}, got {got}")


def _without_none(hint: Any) -> tuple[bool, Any]:
    """Whether ``hint`` allows None, and what else it allows."""
    if typing.get_origin(hint) not in (typing.Union, types.UnionType):
        return False, hint
    others = [one for one in typing.get_args(hint) if one is not types.NoneType]
    return len(others) < len(typing.get_args(hint)), others[0]


def _without_notes(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    """The type that an annotated hint is about, and the notes on it."""
    if typing.get_origin(hint) is not typing.Annotated:
        return hint, ()
    kind, *notes = typing.get_args(hint)
    return kind, tuple(notes)
