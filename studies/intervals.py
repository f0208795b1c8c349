"""Means of a few seeds with Student's t interval at 95 %."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

import numpy as np

CONFIDENCE = 0.95


def mean_interval(values: Sequence[float]) -> dict[str, float | int | None]:
    """``mean``, ``low``, ``high`` and ``n``; no interval (None) for a single value.

    Raises:
        ValueError: if there is no value, or one is not finite.
    """
    numbers = np.asarray(values, dtype=np.float64)
    if not len(numbers) or not np.isfinite(numbers).all():
        raise ValueError(f"expected one finite number or more, got {list(values)}")
    mean = float(numbers.mean())
    if len(numbers) == 1:
        return {"mean": mean, "low": None, "high": None, "n": 1}
    stats: Any = importlib.import_module("scipy.stats")  # a second to load, and needed only here
    error = float(numbers.std(ddof=1)) / len(numbers) ** 0.5
    half = float(stats.t.ppf((1 + CONFIDENCE) / 2, len(numbers) - 1)) * error
    return {"mean": mean, "low": mean - half, "high": mean + half, "n": len(numbers)}
