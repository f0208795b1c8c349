"""Means of a few seeds with Student's t interval at 95 %, and rank correlations."""

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


def rank_correlation(first: Sequence[float], second: Sequence[float]) -> dict[str, float] | None:
    """Spearman's ρ of two series with its p-value; None where one of them never varies."""
    if len(first) < 3 or len(set(first)) < 2 or len(set(second)) < 2:
        return None
    stats: Any = importlib.import_module("scipy.stats")
    found = stats.spearmanr(first, second)
    return {"rho": float(found.statistic), "p": float(found.pvalue)}
