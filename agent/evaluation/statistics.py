"""Numbers with their uncertainty.

Intervals of rates are Wilson's score intervals (Wilson 1927, "Probable inference, the law of
succession, and statistical inference"), which stay sensible at 0 and 100 %.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Rate:
    """A share of successes in [0, 1] with its 95 % interval; all None without a trial."""

    rate: float | None
    low: float | None
    high: float | None


@lru_cache(maxsize=1024)
def wilson(successes: int, trials: int) -> Rate:
    """The rate and Wilson's interval; ValueError unless 0 <= successes <= trials."""
    if not 0 <= successes <= trials:
        raise ValueError(f"expected 0 <= successes <= trials, got {successes} of {trials}")
    if trials == 0:
        return Rate(None, None, None)
    stats: Any = importlib.import_module("scipy.stats")  # a second to load, and needed only here
    interval = stats.binomtest(successes, trials).proportion_ci(CONFIDENCE, method="wilson")
    return Rate(successes / trials, float(interval.low), float(interval.high))


def percentile(values: Iterable[float], percent: float) -> float | None:
    """The percentile by linear interpolation; None of nothing."""
    numbers = np.fromiter(values, dtype=np.float64)
    return float(np.percentile(numbers, percent)) if len(numbers) else None


def median(values: Iterable[float]) -> float | None:
    """The middle value; None of nothing."""
    return percentile(values, 50.0)


def interquartile_mean(values: Iterable[float]) -> float | None:
    """The mean of the middle half, which a few lucky or failed episodes do not move; None of
    nothing. (Agarwal et al. 2021, arXiv:2108.13264, Sec. 4.3)
    """
    numbers = np.fromiter(values, dtype=np.float64)
    stats: Any = importlib.import_module("scipy.stats")
    return float(stats.trim_mean(numbers, 0.25)) if len(numbers) else None


def in_digits(value: float, digits: int = 2) -> str:
    """At least ``digits`` digits that count, and of a large number all before the point."""
    return f"{value:.0f}" if abs(value) >= 10**digits - 0.5 else f"{value:.{digits}g}"


def in_ms(value: float) -> str:
    """A time in ms, in three digits; what is under 0.01 ms takes no time."""
    return in_digits(value, 3) if value >= 0.01 else "< 0.01"
