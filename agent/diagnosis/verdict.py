"""From numbers to advice: each check's verdict in words, with what to do about it.

Verdicts rest on effect sizes, because with enough data every p-value is small; a p-value only
decides whether an effect of that size might be chance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["holds", "roughly", "fails", "unclear"]
SIGNIFICANT = 0.01


@dataclass(frozen=True)
class Finding:
    """One line of the verdict.

    ``question`` a person can answer, the ``test`` behind it, the ``effect`` in words with units,
    ``p`` where there is a test, ``level``, what it ``means``, and what to ``do`` (empty where
    nothing need be done).
    """

    question: str
    test: str
    level: Level
    effect: str
    p: float | None
    means: str
    do: str

    @property
    def p_text(self) -> str:
        """The p-value to print, a dash where there is no test."""
        return "\N{EN DASH}" if self.p is None else f"{self.p:.3f}"

    @property
    def advice(self) -> str:
        """What to do about it, as surely as it is known."""
        if self.level != "unclear":
            return self.do
        instead = self.do[:1].lower() + self.do[1:]
        return f"It may be chance: more episodes would tell. If not: {instead}"


def graded(effect: float, rough: float, bad: float, p: float | None = None) -> Level:
    """The level of an ``effect`` that is ideally small; the p-value may say it is chance."""
    level: Level = "holds" if effect < rough else "roughly" if effect < bad else "fails"
    if level == "holds" or p is None or p <= SIGNIFICANT:
        return level
    return "unclear" if level == "fails" else "holds"
