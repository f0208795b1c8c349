"""What may go wrong with a body on purpose: it is pushed, held, or made heavier.

For trying out what a controller can take; nothing is ever learned from a disturbed world.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from envs.base import Array
from envs.errors import SpecError


@dataclass(frozen=True)
class Dial:
    """One number that may be turned: from ``low`` to ``high``, in steps; ``usual`` is as learned.

    Steps of 1 from 0 to 1 are a switch. ``about`` is its name for people.
    """

    name: str
    about: str
    low: float
    high: float
    usual: float
    step: float = 0.01

    @property
    def is_switch(self) -> bool:
        """Whether it is off or on."""
        return (self.low, self.high, self.step) == (0, 1, 1)

    def checked(self, value: float | str) -> float:
        """``value``, if it may be turned to that.

        Raises:
            SpecError: if it is no finite number of its range.
        """
        with suppress(ValueError):
            if self.low <= float(value) <= self.high:
                return float(value)
        raise SpecError(f"expected {self.about} from {self.low:g} to {self.high:g}, got {value}")


@runtime_checkable
class Disturbable(Protocol):
    """A world whose body can be disturbed; ``reset`` leaves the dials as they are."""

    @property
    def dials(self) -> tuple[Dial, ...]:
        """What can be turned."""

    def turn(self, name: str, value: float) -> None:
        """Turn the dial of that name."""

    def push(self, way: Array) -> None:
        """Push the body's end through the coming step, along ``way`` (3,) of its scene.

        A push of length 1 is as strong as the body's weight, or what comes near to it.
        """
