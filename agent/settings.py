"""Settings as frozen dataclasses: to plain values and back, and changed one by one by name.

A field that holds one of several kinds of settings is told apart by ``kind``, which all but the
first kind carry.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
import operator
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, SupportsIndex, TypeVar

from agent.errors import UserError

T = TypeVar("T")
MAX_SEED = 2**63 - 1  # what numpy, torch and the files all take
_KINDS = {str: "a text", bool: "true or false", int: "a whole number", float: "a number"}


def require_seed(seed: SupportsIndex, name: str = "seed") -> int:
    """``seed`` as a whole number that every part of the program takes, or UserError."""
    return require_whole(seed, name, 0, MAX_SEED)


def require_whole(value: SupportsIndex, name: str, least: int, most: int) -> int:
    """``value``, numpy's as well, as a whole number from ``least`` to ``most``, or UserError."""
    try:
        whole = operator.index(value)
    except TypeError as error:
        raise UserError(f"expected {name} from {least} to {most}, got {value!r}") from error
    if isinstance(value, bool) or not least <= whole <= most:
        raise UserError(f"expected {name} from {least} to {most}, got {value}")
    return whole


def to_dict(settings: Any) -> dict[str, Any]:
    """Plain nested dictionaries, ready for JSON."""
    return dataclasses.asdict(settings)


def from_dict(kind: type[T], values: Mapping[str, Any]) -> T:
    """Rebuild frozen settings from :func:`to_dict`'s output; what is absent is the default.

    Raises:
        UserError: on an unknown key (naming the nearest) or a value the settings refuse.
    """
    if not isinstance(values, Mapping):
        raise UserError(f"{kind.__name__}: expected named settings, got {values!r}")
    hints = typing.get_type_hints(kind)
    for key in values:
        if key not in hints:
            raise UserError(f"unknown setting {key!r} of {kind.__name__}{nearest(key, hints)}")
    try:
        return kind(**{key: _named(key, hints[key], value) for key, value in values.items()})
    except UserError:
        raise
    except (TypeError, ValueError) as error:
        raise UserError(f"{kind.__name__}: {error}") from error


def flat(settings: Any) -> Iterator[tuple[str, Any]]:
    """Every setting by its dotted name, as ``training.steps``."""
    return leaves(to_dict(settings))


def with_changes(settings: T, changes: Mapping[str, Any]) -> T:
    """``settings`` with some of them, by dotted name, replaced; a text is read as the type wants.

    Raises:
        UserError: on a name that is none (the nearest is named), or a value that is refused.
    """
    known = [name for name, _ in flat(settings)]
    values = to_dict(settings)
    for name, value in changes.items():
        dotted = name.replace("-", "_")
        if dotted not in known:
            raise UserError(f"unknown setting {name!r}{_meant(dotted, known)}")
        *rooms, last = dotted.split(".")
        room = values
        for part in rooms:
            room = room[part]
        room[last] = _read(name, value, room[last]) if isinstance(value, str) else value
    return from_dict(type(settings), values)


def leaves(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The values of nested tables, as a TOML file has them, by dotted name."""
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def nearest(name: str, known: Iterable[str]) -> str:
    """``; did you mean 'x'?`` with the nearest of the ``known`` names; nothing if none is near."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else ""


def _meant(dotted: str, known: Iterable[str]) -> str:
    """As :func:`nearest`, by the last part first: people remember that, and how it begins."""
    last = dotted.rpartition(".")[2]
    ends = {name: name.rpartition(".")[2] for name in known}
    same = [name for name, end in ends.items() if end == last]
    found = same or [name for name, end in ends.items() if last and end.startswith(last)]
    if not found or len(found) > 3:
        return nearest(dotted, ends)
    return f"; did you mean {' or '.join(map(repr, found))}?"


def _read(name: str, text: str, present: Any) -> Any:
    """A word from the command line, as the present value's type wants it."""
    if isinstance(present, str):
        return text
    try:
        return json.loads(text.lower() if text in ("True", "False") else text)
    except (ValueError, RecursionError) as error:
        raise UserError(f"expected {name} like {json.dumps(present)}, got {text[:80]!r}") from error


def _named(name: str, hint: Any, value: Any) -> Any:
    try:
        return _rebuild(hint, value)
    except UserError:
        raise
    except ValueError as error:
        raise UserError(f"{name}: {error}") from error


def _rebuild(hint: Any, value: Any) -> Any:
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return from_dict(hint, value)
    if typing.get_origin(hint) is tuple:
        return _tuple(hint, value)
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        kinds = [kind for kind in typing.get_args(hint) if dataclasses.is_dataclass(kind)]
        return from_dict(_kind_of(kinds, value), value) if kinds else value
    return _scalar(hint, value)


def _scalar(hint: Any, value: Any) -> Any:
    """A text, a truth value or a number; a whole number may be written as 500 or 5e2."""
    if getattr(value, "shape", None) == ():  # numpy's own numbers
        value = value.item()
    if type(value) is hint:
        return value
    if hint is float and type(value) is int:
        return float(value)
    if hint is int and type(value) is float and value.is_integer():
        return int(value)
    raise ValueError(f"expected {_KINDS[hint]}, got {value!r}")


def _tuple(hint: Any, value: Any) -> tuple[Any, ...]:
    """JSON and TOML know lists only."""
    if not isinstance(value, (list, tuple)):
        raise ValueError(f"expected a list, got {value!r}")
    kinds = typing.get_args(hint)
    count = len(value) if kinds[-1] is Ellipsis else len(kinds)
    if len(value) != count:
        raise ValueError(f"expected {count} values, got {list(value)}")
    return tuple(_rebuild(kinds[0], one) for one in value)


def _kind_of(kinds: list[Any], values: Any) -> Any:
    """The settings class whose ``kind`` is in ``values``; the first one has none."""
    named = {getattr(kind, "kind", None): kind for kind in kinds}
    wanted = values.get("kind") if isinstance(values, Mapping) else None
    if wanted not in named:
        known = {str(name): kind for name, kind in named.items() if name}
        raise UserError(
            f"expected no kind or one of {sorted(known)}, got {wanted!r}"
            f"{nearest(str(wanted), known)}"
        )
    return named[wanted]
