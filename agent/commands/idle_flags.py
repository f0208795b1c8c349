"""A flag that would change nothing beside the others is refused by name, never dropped in silence.

A flag counts as given where its value is not the default: at the default there is nothing to drop.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from agent.errors import UserError

if TYPE_CHECKING:
    from agent.config import ExperimentConfig


def refuse_idle(command: Any, names: tuple[str, ...], why: str) -> None:
    """UserError if one of the fields ``names`` of ``command`` was given, which does nothing.

    ``why`` ends the sentence "--flag does nothing …".
    """
    for field in dataclasses.fields(command):
        if field.name in names and is_given(command, field):
            _refuse(field.name, why)


def is_given(command: Any, field: dataclasses.Field[Any]) -> bool:
    """Whether that field of ``command`` is anything but its default."""
    default = field.default
    if field.default_factory is not dataclasses.MISSING:
        default = field.default_factory()
    return bool(getattr(command, field.name) != default)


def refuse_idle_settings(configs: Sequence[ExperimentConfig], given: Iterable[str]) -> None:
    """UserError if a setting that was ``given`` by dotted name does nothing in any of them."""
    from agent.config import idle_among

    for name, why in idle_among(configs, given):
        _refuse(name, why)


def _refuse(name: str, why: str) -> None:
    flag = f"--{name.replace('_', '-')}"
    raise UserError(f"{flag} does nothing {why}: leave {flag} away")
