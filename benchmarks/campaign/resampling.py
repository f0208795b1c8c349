"""Intervals that cover the training seeds as well as the episodes.

Values are (S, E): S training seeds that all played the same E episodes. Seeds and episodes are
resampled independently of each other and every draw keeps the whole cross, the pigeonhole
bootstrap (Owen 2007, "The pigeonhole bootstrap", Annals of Applied Statistics 1:386): a hard
episode is hard for every seed, so resampling cells one by one would promise too much. Intervals
are percentiles of the resamples. With three seeds a bootstrap still flatters: it sees ten
different draws of them, and their spread short by a third (the S − 1 of S).
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, wraps
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.evaluation.statistics import CONFIDENCE, wilson
from agent.interfaces import Array

RESAMPLES = 4000
_SEED = 20071  # of the resampling alone: the same values always give the same interval
_CHUNK = 250
_EXACT = 1e-9
_TAIL = 0.25  # of the values at each end that an interquartile mean leaves out


@dataclass(frozen=True)
class Estimate:
    """A number with the ends of its 95 % interval."""

    value: float
    low: float
    high: float


def _once(estimate: Callable[..., Estimate]) -> Callable[..., Estimate]:
    """The same, found once: pages and figures ask for the estimates of the same tables."""

    @lru_cache(maxsize=1024)
    def known(*tables: tuple[tuple[int, ...], bytes]) -> Estimate:
        return estimate(*(np.frombuffer(content).reshape(shape) for shape, content in tables))

    @wraps(estimate)
    def remembered(*tables: Array) -> Estimate:
        given = [np.asarray(table, dtype=np.float64) for table in tables]
        return known(*((table.shape, table.tobytes()) for table in given))

    return remembered


@_once
def mean_over_seeds(values: Array) -> Estimate:
    """The mean of ``values`` (S, E).

    Raises:
        ValueError: unless there is at least one seed and one episode.
    """
    checked = _checked(values)
    seeds, episodes = _weights(*checked.shape)
    return _estimate(float(checked.mean()), _means(checked, seeds, episodes))


def rate_over_seeds(successes: Array) -> Estimate:
    """The share of successes, ``successes`` (S, E) of zeros and ones.

    At each end the wider of the bootstrap and of Wilson's interval for the mean rate on E
    episodes: where every episode succeeds a bootstrap sees no variation and would be sure.
    """
    found = mean_over_seeds(successes)
    trials = _checked(successes).shape[1]
    passed = found.value * trials  # no whole number where seeds differ: rounded outwards
    floor = wilson(int(np.floor(passed + _EXACT)), trials)
    ceiling = wilson(int(np.ceil(passed - _EXACT)), trials)
    assert floor.low is not None and ceiling.high is not None
    return Estimate(found.value, min(found.low, floor.low), max(found.high, ceiling.high))


@_once
def difference_over_seeds(ours: Array, theirs: Array) -> Estimate:
    """Mean of ``ours`` (S, E) minus mean of ``theirs`` (S', E) on the same E episodes.

    Each resample draws the episodes once for both, so what makes an episode hard cancels.

    Raises:
        ValueError: if the numbers of episodes differ.
    """
    a, b = _checked(ours), _checked(theirs)
    if a.shape[1] != b.shape[1]:
        raise ValueError(f"expected the same episodes, got {a.shape[1]} and {b.shape[1]}")
    seeds_a, episodes = _weights(*a.shape)
    seeds_b = _weights(*b.shape, stream=1)[0]
    resampled = _means(a, seeds_a, episodes) - _means(b, seeds_b, episodes)
    return _estimate(float(a.mean() - b.mean()), resampled)


@_once
def interquartile_mean_over_seeds(values: Array) -> Estimate:
    """Mean of the middle half of ``values`` (S, E), all seeds and episodes together.

    (Agarwal et al. 2021, arXiv:2108.13264, Sec. 4.3)
    """
    stats: Any = importlib.import_module("scipy.stats")
    checked = _checked(values)
    return _estimate(float(stats.trim_mean(checked.ravel(), _TAIL)), _middles(checked))


def _checked(values: Array) -> Array:
    given = np.asarray(values, dtype=np.float64)
    if given.ndim != 2 or given.size == 0 or not np.isfinite(given).all():
        raise ValueError(f"expected finite values (seeds, episodes), got shape {given.shape}")
    return given


@lru_cache(maxsize=16)
def _weights(seeds: int, episodes: int, stream: int = 0) -> tuple[Array, Array]:
    """How often each seed (R, S) and each episode (R, E) is drawn in R resamples.

    The episodes' draws depend on their number alone, so that controllers can be paired.
    """
    of_seeds = np.random.default_rng([_SEED, stream, seeds])
    of_episodes = np.random.default_rng([_SEED, episodes])
    return (
        of_seeds.multinomial(seeds, np.full(seeds, 1.0 / seeds), RESAMPLES).astype(float),
        of_episodes.multinomial(episodes, np.full(episodes, 1.0 / episodes), RESAMPLES).astype(
            float
        ),
    )


def _means(values: Array, seeds: Array, episodes: Array) -> Array:
    # Divided last: sums of zeros and ones are exact, and a rate of 1 is 1.
    means: Array = ((seeds @ values) * episodes).sum(-1) / values.size  # (R,)
    return means


def _middles(values: Array) -> Array:
    """Means of the middle half (R,) of R resamples, a few at a time to spare memory.

    Sorted once: a resample is how often each value is drawn, and the tails are cut off the counts.
    """
    order = values.argsort(axis=None)
    cut = int(_TAIL * values.size)
    found = []
    for of_seeds, of_episodes in _draws(*values.shape):
        drawn = (of_seeds[:, :, None] * of_episodes[:, None, :]).reshape(_CHUNK, -1)[:, order]
        kept = drawn.cumsum(1, dtype=np.int32).clip(cut, values.size - cut)
        found.append(np.diff(kept, prepend=cut) @ values.ravel()[order])
    middles: Array = np.concatenate(found) / (values.size - 2 * cut)
    return middles


@lru_cache(maxsize=16)
def _draws(seeds: int, episodes: int) -> list[tuple[NDArray[np.int32], NDArray[np.int32]]]:
    """How often each seed (_CHUNK, S) and each episode (_CHUNK, E) is drawn, chunk by chunk."""
    rng = np.random.default_rng([_SEED, seeds, episodes])
    return [(_counts(rng, seeds), _counts(rng, episodes)) for _ in range(0, RESAMPLES, _CHUNK)]


def _counts(rng: np.random.Generator, number: int) -> NDArray[np.int32]:
    """How often each of ``number`` is drawn (_CHUNK, number) in as many draws with replacement."""
    drawn = rng.integers(number, size=(_CHUNK, number))
    flat = drawn + number * np.arange(_CHUNK)[:, None]
    counts = np.bincount(flat.ravel(), minlength=_CHUNK * number)
    return counts.reshape(_CHUNK, number).astype(np.int32)


def _estimate(value: float, resampled: Array) -> Estimate:
    tail = 50.0 * (1.0 - CONFIDENCE)
    low, high = np.percentile(resampled, [tail, 100.0 - tail])
    return Estimate(value, float(low), float(high))
