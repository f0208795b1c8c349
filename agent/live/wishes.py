"""What a visitor may ask of a session: small values that cross from the page to the process in
which the world lives.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Wish:
    """Anything a visitor asks for; ``of`` is the visitor's number, for the answer."""

    of: int

    @property
    def key(self) -> object:
        """Of two waiting wishes with one key only the later is granted."""
        return type(self)


@dataclass(frozen=True)
class DragGoal(Wish):
    """Bring a grip of the goal to a point in space; ``done`` when it is let go."""

    grip: int
    to: tuple[float, float, float]
    done: bool = False
