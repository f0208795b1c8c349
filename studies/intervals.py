"""Means of a few seeds with Student's t interval at 95 %, and rank correlations."""

from __future__ import annotations

import importlib
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.errors import UserError

CONFIDENCE = 0.95
DRAWS = 1000


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


def rank_correlation(
    first: Sequence[float], second: Sequence[float], groups: Sequence[Hashable]
) -> dict[str, float] | None:
    """Spearman's ρ of two series, ``low`` and ``high``; None where one of them never varies.

    The interval is a bootstrap's that draws whole ``groups``: seeds of one setting are alike.

    Raises:
        UserError: for lengths that differ, or a value that is not finite.
    """
    if not len(first) == len(second) == len(groups) or not np.isfinite([*first, *second]).all():
        raise UserError(
            "expected two series of finite numbers and a group of each pair, got "
            f"{len(first)}, {len(second)} and {len(groups)}"
        )
    if len(first) < 3 or len(set(first)) < 2 or len(set(second)) < 2:
        return None
    stats: Any = importlib.import_module("scipy.stats")
    rho = float(stats.spearmanr(first, second).statistic)
    low, high = _drawn_again(np.array([first, second]), groups)
    return {"rho": rho, "low": low, "high": high}


def _drawn_again(series: NDArray[np.float64], groups: Sequence[Hashable]) -> tuple[float, float]:
    """The interval of ρ (2, N), from draws of whole groups with replacement."""
    stats: Any = importlib.import_module("scipy.stats")
    rng = np.random.default_rng(0)
    names = list(dict.fromkeys(groups))
    places = [[i for i, group in enumerate(groups) if group == name] for name in names]
    found = []
    for _ in range(DRAWS):
        drawn = [i for name in rng.integers(len(names), size=len(names)) for i in places[name]]
        first, second = series[:, drawn]
        if np.ptp(first) and np.ptp(second):
            found.append(stats.spearmanr(first, second).statistic)
    low, high = np.quantile(found, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)
