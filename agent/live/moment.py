"""What a session shows at one control tick: values alone, sent from its process to the page's."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from agent.interfaces import Array, FloatArray, Image
from envs import Part, Placed, View


@dataclass(frozen=True)
class Opening:
    """What never changes while a session lasts.

    ``parts``, ``grips`` and ``view`` of the world's scene, empty and None where it has none;
    ``step_s`` its control tick; ``unit`` that of the true distance to the goal, "" where no state
    tells it.
    """

    world: str
    step_s: float
    parts: tuple[Part, ...]
    grips: tuple[str, ...]
    view: View | None
    unit: str


@dataclass(frozen=True)
class Ghost:
    """A pose shown beside the true one: where its parts are, and its grips (G, 3)."""

    placed: Placed
    grips: Array


@dataclass(frozen=True)
class Moment:
    """One control tick, number ``tick``.

    ``frame`` and ``goal_frame`` uint8 (h, w, 3) as the controller sees them; ``body`` and ``goal``
    where the parts are, None where the world has no scene or the goal is a picture alone.
    ``traces`` (N, C) are the last ticks, a column each of :data:`TRACES`. ``words`` say what goes
    on, ``refusal`` why the last wish was not granted.
    """

    tick: int
    frame: Image
    goal_frame: Image
    body: Placed | None
    goal: Ghost | None
    traces: FloatArray
    words: str = ""
    refusal: tuple[int, str] | None = None
    answered_s: float = field(default=0.0)


TRACES = ("time", "metric", "plain", "truth", "spent")


class Traces:
    """The last ``length`` rows of :data:`TRACES`."""

    def __init__(self, length: int) -> None:
        self._length = length
        self._rows: list[tuple[float, ...]] = []

    def add(self, *row: float) -> None:
        """One more tick."""
        assert len(row) == len(TRACES)
        self._rows.append(row)
        del self._rows[: -self._length]

    @property
    def rows(self) -> FloatArray:
        """(N, C), oldest first."""
        return np.array(self._rows, np.float32).reshape(-1, len(TRACES))
