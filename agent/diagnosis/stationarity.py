"""Do mean and spread stay what they are, within an episode and from the first to the last?

Episodes are the units: they are independent, however long the memory within one. Under a
stationary Gaussian law the first quarter of an episode less the last is as likely as its
opposite, so flipping its sign episode by episode gives the null law (Fisher's randomisation); and
episodes may come in any order, so permuting them does. The statistic is the largest over all
directions, which pays for having looked at many.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from agent.diagnosis.trajectories import Trajectories
from agent.interfaces import Array

DRAWS = 999


@dataclass(frozen=True)
class Stationarity:
    """Largest change over all directions, in standard deviations and as a ratio of spreads.

    ``mean_shift`` and ``spread_ratio`` compare the first and last quarter of an episode,
    ``trend_shift`` and ``trend_ratio`` the first and last quarter of all episodes. Curves for
    drawing: ``mean_over_time``, ``spread_over_time`` (T, R), and over episodes (E, R).
    """

    mean_shift: float
    p_mean: float
    spread_ratio: float
    p_spread: float
    trend_shift: float
    trend_ratio: float
    p_trend: float
    mean_over_time: Array
    spread_over_time: Array
    mean_over_episodes: Array
    spread_over_episodes: Array


def stationarity(data: Trajectories, rng: np.random.Generator) -> Stationarity:
    """Compare quarters of episodes, and quarters of the recording."""
    white, squares = data.white, data.white**2
    by_episode = np.concatenate([white.mean(1), squares.mean(1)], 1)  # (E, 2R)
    spread = np.sqrt(by_episode[:, data.frame.alive :])
    return Stationarity(
        mean_shift=_shift(white.mean(0)),
        p_mean=_sign_flip(np.subtract(*_quarters(white)), rng),
        spread_ratio=_ratio(squares.mean(0)),
        p_spread=_sign_flip(np.subtract(*_quarters(squares)), rng),
        trend_shift=_shift(white.mean(1)),
        trend_ratio=_ratio(squares.mean(1)),
        p_trend=_permuted_trend(by_episode, rng),
        mean_over_time=white.mean(0),
        spread_over_time=white.std(0),
        mean_over_episodes=by_episode[:, : data.frame.alive],
        spread_over_episodes=spread,
    )


def _quarters(values: Array) -> tuple[Array, Array]:
    """Means over the last and the first quarter of N things: (..., R) each of (..., N, R)."""
    quarter = max(1, values.shape[-2] // 4)
    return values[..., -quarter:, :].mean(-2), values[..., :quarter, :].mean(-2)


def _shift(means: Array) -> float:
    late, early = _quarters(means)
    return float(np.abs(late - early).max())


def _ratio(squares: Array) -> float:
    """The largest ratio of spreads, at least 1, of mean squares (N, R)."""
    late, early = (np.maximum(quarter, 1e-12) for quarter in _quarters(squares))
    ratio = np.sqrt(late / early)
    return float(np.maximum(ratio, 1 / ratio).max())


def _sign_flip(differences: Array, rng: np.random.Generator) -> float:
    """p-value that the (E, R) differences have zero mean, by flipping episodes' signs."""
    scaled = differences / np.sqrt(np.maximum((differences**2).sum(0), 1e-300))
    signs = rng.choice((-1.0, 1.0), (DRAWS, len(scaled)))
    null = np.abs(signs @ scaled).max(1)
    return _p_value(float(np.abs(scaled.sum(0)).max()), null)


def _permuted_trend(by_episode: Array, rng: np.random.Generator) -> float:
    """p-value of the largest correlation of a column of (E, C) with the episode's number."""
    centred = by_episode - by_episode.mean(0)
    scaled = centred / np.sqrt(np.maximum((centred**2).sum(0), 1e-300))
    number = np.arange(len(scaled), dtype=np.float64)
    orders = rng.permuted(np.tile(number, (DRAWS, 1)), axis=1)
    return _p_value(float(np.abs(number @ scaled).max()), np.abs(orders @ scaled).max(1))


def _p_value(found: float, null: Array) -> float:
    return float((1 + (null >= found * (1 - 1e-12)).sum()) / (len(null) + 1))
