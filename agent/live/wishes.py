"""What a visitor may ask of a session: small values that cross from the page to the process in
which the world lives.
"""

from __future__ import annotations

from dataclasses import dataclass

from agent.live.controls import Value


@dataclass(frozen=True)
class Wish:
    """Anything a visitor asks for; ``of`` is the visitor's number, for the answer.

    Of two waiting wishes with one ``key`` only the later is granted.
    """

    of: int

    @property
    def key(self) -> object:
        """What it is about: a control, or its kind alone."""
        return getattr(self, "name", type(self))


@dataclass(frozen=True)
class Set(Wish):
    """Turn a dial or pick a choice."""

    name: str
    value: Value


@dataclass(frozen=True)
class Press(Wish):
    """Press a button."""

    name: str


@dataclass(frozen=True)
class DragGoal(Wish):
    """Bring a grip of the goal to a point in space."""

    grip: int
    to: tuple[float, float, float]


@dataclass(frozen=True)
class Push(Wish):
    """Push the body along ``way`` for ``ticks`` ticks; length 1 is as strong as its weight."""

    way: tuple[float, float, float]
    ticks: int = 3


@dataclass(frozen=True)
class Drop(Wish):
    """Take a picture as the goal: the bytes of a file of that name."""

    file: str
    content: bytes
