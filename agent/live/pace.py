"""How fast time passes: slower or faster than real, paused, one tick at a time, from the start."""

from __future__ import annotations

from collections.abc import Mapping

from agent.live.controls import Button, Choice, Controlled, Value
from envs import Dial

SPEEDS = {"×¼": 0.25, "×½": 0.5, "×1": 1.0, "×2": 2.0, "×4": 4.0}
SPEED, PAUSED, TICK, RESET = "speed", "paused", "tick", "reset"


class Pace(Controlled):
    """``step_s`` is the world's tick; ``wants_reset`` until somebody has done it."""

    controls = (
        Choice(SPEED, "speed", tuple(SPEEDS)),
        Dial(PAUSED, "pause", 0, 1, 0, 1),
        Button(TICK, "one tick"),
        Button(RESET, "start again"),
    )

    def __init__(self, step_s: float) -> None:
        self._step_s, self._speed, self._paused, self._steps = step_s, "×1", False, 0
        self.wants_reset = False

    @property
    def values(self) -> Mapping[str, Value]:
        """See :class:`agent.live.controls.Controlled`."""
        return {SPEED: self._speed, PAUSED: float(self._paused)}

    def set(self, name: str, value: Value) -> None:
        """See :class:`agent.live.controls.Controlled`."""
        if name == SPEED:
            self._speed = str(value)
        else:
            self._paused, self._steps = bool(value), 0

    def press(self, name: str) -> None:
        """A single tick pauses first."""
        if name == RESET:
            self.wants_reset = True
        elif self._paused:
            self._steps += 1
        else:
            self._paused = True

    @property
    def period_s(self) -> float:
        """Of a tick on the clock."""
        return self._step_s / SPEEDS[self._speed]

    def passes(self) -> bool:
        """Whether this tick happens."""
        if not self._paused:
            return True
        happens, self._steps = self._steps > 0, max(0, self._steps - 1)
        return happens
