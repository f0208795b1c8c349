"""Is the noise additive: is what cannot be foreseen equally large everywhere?

The theory's worlds are z' = m(z) + η with η independent of z (Klindt, LeCun & Balestriero 2026,
arXiv:2605.26379). We take the residuals of a prediction of z' and regress their squares on the
state and its square (White 1980, Econometrica 48; Breusch & Pagan 1979, Econometrica 47, with
the largest R² over residual directions as statistic). Its null law comes from permuting the
residuals among independent samples.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from agent.diagnosis.thinning import Sample
from agent.diagnosis.trajectories import Trajectories
from agent.interfaces import Array

DRAWS = 499
_SILENT = 1e-12  # a mean square
SAMPLES_A_FEATURE = 5
LEVELS = 10  # groups of states, quietest to loudest


@dataclass(frozen=True)
class Noise:
    """How unequal the noise is.

    ``levels`` (LEVELS,): size of the noise in states from the quietest tenth to the loudest, 1 on
    average; which states are loud is learned on half of the episodes and measured on the other,
    so chance makes no difference. ``ratio``: loudest third over quietest third.
    ``episode_ratio``: the same for episodes, ranked by their first half and measured on their
    second; ``by_episode`` (E, 2): noise in both halves. ``p_state``, ``p_episode``.
    """

    levels: Array
    ratio: float
    p_state: float
    by_episode: Array
    episode_ratio: float
    p_episode: float


def linear_residuals(data: Trajectories) -> Array:
    """What a linear map of the row does not tell of the next: (E, T-1, R), whitened."""
    now = data.white[:, :-1].reshape(-1, data.frame.alive)
    following = data.white_following.reshape(-1, data.frame.alive)
    features = np.column_stack([now, np.ones(len(now))])
    residual: Array = following - features @ np.linalg.lstsq(features, following, rcond=None)[0]
    return residual.reshape(data.episodes, data.frames - 1, -1)


def noise(data: Trajectories, residuals: Array, sample: Sample, rng: np.random.Generator) -> Noise:
    """How ``residuals`` (E, F, R) of predicting the last F rows depend on row and episode."""
    unpredicted = data.frames - 1 - residuals.shape[1]  # rows a model still waits for its context
    state = data.white[:, unpredicted:-1]
    sample = sample.after(unpredicted)
    white = _whitened(residuals)
    size = (white**2).mean(-1)  # (E, T-1), 1 on average
    levels, ratio = _levels(state, size)
    half = size.shape[1] // 2
    by_episode = np.sqrt(np.column_stack([size[:, :half].mean(1), size[:, half:].mean(1)]))
    return Noise(
        levels,
        ratio,
        _p_state(sample.take(state), sample.take(white), rng),
        by_episode,
        _episode_ratio(by_episode),
        _p_episode(by_episode, rng),
    )


def _whitened(residuals: Array) -> Array:
    flat = residuals.reshape(-1, residuals.shape[-1])
    spectrum, axes = np.linalg.eigh(np.cov(flat, rowvar=False).reshape(flat.shape[1], -1))
    # A direction foreseen without error has no noise to speak of: it must not be blown up.
    floor = max(1e-6 * spectrum[-1], _SILENT**2)
    white: Array = (residuals - flat.mean(0)) @ (axes / np.sqrt(np.maximum(spectrum, floor)))
    return white


def _features(state: Array, most: int) -> Array:
    """One, state and its squares: (n, F), of as many leading directions as ``most`` allows."""
    kept = state[:, : max(1, most // 2)]
    return np.column_stack([np.ones(len(kept)), kept, kept**2])


def _levels(state: Array, size: Array) -> tuple[Array, float]:
    """Noise by predicted noise: fitted on even episodes and read on odd ones, and vice versa."""
    predicted = np.empty_like(size)
    for part in (0, 1):
        known, rest = state[part::2], state[1 - part :: 2]
        flat, wanted = known.reshape(-1, state.shape[-1]), size[part::2].reshape(-1)
        most = len(flat) // SAMPLES_A_FEATURE
        # Logarithms, or a few large residuals would decide the fit.
        fit = np.linalg.lstsq(_features(flat, most), np.log(wanted + 1e-12), rcond=None)[0]
        there = _features(rest.reshape(-1, state.shape[-1]), most) @ fit
        predicted[1 - part :: 2] = there.reshape(rest.shape[:2])
    ordered = size.reshape(-1)[np.argsort(predicted.reshape(-1))]
    levels = np.sqrt([part.mean() for part in np.array_split(ordered, LEVELS)])
    quiet, _, loud = (part.mean() for part in np.array_split(ordered, 3))
    return levels, _times(loud, quiet)


def _p_state(state: Array, residual: Array, rng: np.random.Generator) -> float:
    basis = np.linalg.qr(_features(state, len(state) // SAMPLES_A_FEATURE))[0][:, 1:]
    squares = residual**2
    centred = squares - squares.mean(0)
    scaled = centred / np.sqrt(np.maximum((centred**2).sum(0), 1e-300))
    found = ((basis.T @ scaled) ** 2).sum(0).max()  # the largest R²
    null = [((basis.T @ rng.permutation(scaled)) ** 2).sum(0).max() for _ in range(DRAWS)]
    return float((1 + (np.array(null) >= found).sum()) / (DRAWS + 1))


def _episode_ratio(by_episode: Array) -> float:
    third = max(1, len(by_episode) // 3)
    ranked = by_episode[np.argsort(by_episode[:, 0]), 1] ** 2
    return _times(ranked[-third:].mean(), ranked[:third].mean())


def _times(loud: float, quiet: float) -> float:
    """How many times louder, of mean squares; what is foreseen without error is as loud as that."""
    return float(np.sqrt(max(loud, _SILENT) / max(quiet, _SILENT)))


def _p_episode(by_episode: Array, rng: np.random.Generator) -> float:
    """p-value of the correlation of both halves' noise, by permuting episodes."""
    first, second = rankdata(by_episode, axis=0).T
    found = first @ second
    null = rng.permuted(np.tile(second, (DRAWS, 1)), axis=1) @ first
    return float((1 + (null >= found).sum()) / (DRAWS + 1))
