"""What sampling planners share: noise in many colours along time, and keeping the best plans."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from planners.base import Array, Noise


def plan_noise(noise: Noise, count: int, plans: Array) -> Array:
    """White noise (E, count, times, A) for ``plans`` (E, H, K, A), whose H * K ticks are times."""
    _, steps, ticks, width = plans.shape
    return noise.normal((count, steps * ticks, width))


def as_plans(noise: Array, plans: Array) -> Array:
    """(E, N, times, A) as (E, N, H, K, A), the shape of ``plans`` (E, H, K, A)."""
    return noise.reshape(*noise.shape[:2], *plans.shape[1:])


def autoregressive(white: Array, keep: float) -> Array:
    """White noise (E, N, times, W) made first-order autoregressive, variance kept."""
    kept: Array = _memory(white.shape[2], keep).astype(white.dtype) @ white
    return kept


@lru_cache(maxsize=8)
def _memory(times: int, keep: float) -> Array:
    """(times, times): how the noise of each time hangs on the fresh noise of all until then."""
    back = np.subtract.outer(np.arange(times), np.arange(times))
    fresh = np.where(np.arange(times), (1 - keep**2) ** 0.5, 1.0)
    memory: Array = np.tril(keep ** np.maximum(back, 0.0)) * fresh
    return memory


def coloured(white: Array, exponent: float) -> Array:
    """White noise (E, N, times, A) given a power spectrum 1/f^exponent, of unit variance.

    (Timmer & König 1995, Sec. 3, as used by Pinneri et al. 2020.) The lowest frequency also
    stands in for the constant, so that plans may push one way all along.
    """
    times = white.shape[2]
    frequency = np.fft.rfftfreq(times)
    frequency[0] = 1.0 / times
    shape = frequency ** (-exponent / 2)
    shape = shape / np.sqrt(np.square(shape).mean())
    spectrum = np.fft.rfft(white, axis=2) * shape[:, None]
    noise = np.fft.irfft(spectrum, n=times, axis=2).astype(white.dtype)
    scaled: Array = noise / np.maximum(noise.std(axis=(1, 2), keepdims=True), 1e-9)
    return scaled


def cheapest(candidates: Array, costs: Array, count: int) -> Array:
    """The ``count`` best (E, count, ...) of ``candidates`` (E, N, ...), cheapest first.

    Where fewer have a finite cost the best stands in for the rest, unless it has none either.
    """
    rows = np.arange(len(candidates))[:, None]
    chosen = np.argsort(costs, axis=1, kind="stable")[:, :count]  # (E, count)
    sound = np.isfinite(costs[rows, chosen])
    return candidates[rows, np.where(sound | ~sound[:, :1], chosen, chosen[:, :1])]
