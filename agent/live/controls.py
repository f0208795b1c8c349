"""What can be turned, picked and pressed: declared by the parts of a session, drawn by the page."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from agent.errors import UserError
from agent.settings import nearest
from envs import Dial

Value = float | str


@dataclass(frozen=True)
class Choice:
    """One of several words."""

    name: str
    about: str
    options: tuple[str, ...]

    def checked(self, value: Value) -> str:
        """``value``, if it is one of the options.

        Raises:
            UserError: naming them.
        """
        if value not in self.options:
            raise UserError(f"expected {self.about} of {', '.join(self.options)}, got {value!r}")
        return str(value)


@dataclass(frozen=True)
class Button:
    """Something to be done once."""

    name: str
    about: str


Control = Dial | Choice | Button


@dataclass(frozen=True)
class Group:
    """Controls that stand together on the page."""

    title: str
    controls: tuple[Control, ...]


class Controlled(ABC):
    """A part of a session that has ``controls``, which never change."""

    controls: tuple[Control, ...]
    _values: dict[str, Value]

    @property
    def values(self) -> Mapping[str, Value]:
        """Where its dials and choices stand now."""
        return self._values

    @abstractmethod
    def set(self, name: str, value: Value) -> None:
        """Turn the dial or pick the choice of that name; the value is one it takes."""

    def press(self, name: str) -> None:
        """Press the button of that name, where it has any."""
        raise NotImplementedError


class Switchboard:
    """All controls of a session by name; each acts on the part that has it."""

    def __init__(self, parts: Iterable[Controlled]) -> None:
        self._parts = tuple(parts)
        self._owners = {c.name: (c, part) for part in self._parts for c in part.controls}

    @property
    def values(self) -> dict[str, Value]:
        """Where everything stands."""
        return {name: value for part in self._parts for name, value in part.values.items()}

    def set(self, name: str, value: Value) -> None:
        """Turn or pick.

        Raises:
            UserError: for what does not exist or a value it does not take.
            SpecError: for a number it does not take.
        """
        control, part = self._owner(name)
        if isinstance(control, Button):
            raise UserError(f"{name} is a button: it has no value")
        part.set(name, control.checked(value))

    def press(self, name: str) -> None:
        """Press; UserError for what is no button."""
        control, part = self._owner(name)
        if not isinstance(control, Button):
            raise UserError(f"expected a button, got {name!r}: give it a value")
        part.press(name)

    def _owner(self, name: str) -> tuple[Control, Controlled]:
        if name not in self._owners:
            raise UserError(
                f"expected one of {', '.join(self._owners)}, got {name!r}"
                f"{nearest(name, self._owners) or ''}"
            )
        return self._owners[name]
