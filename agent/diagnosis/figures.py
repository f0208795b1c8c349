"""The figures of a diagnosis."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.special import ndtri

from agent.diagnosis import Diagnosis
from agent.diagnosis.rates import PREDICTED_FAILURE
from agent.diagnosis.trajectories import DEAD_SHARE
from agent.interfaces import Array
from agent.reporting import style

NAMED = 6  # more lines than colours get no legend
QUANTILES = 101
MOST_ROWS = 50_000  # enough for a histogram
FAINT = 0.35


def gaussian_figure(found: Diagnosis) -> Figure:
    """Quantile plot, histogram of the worst column, and all directions' skewness and kurtosis."""
    figure = style.new_figure(style.WIDTH_IN, 3.1)
    quantiles, histogram, moments = figure.subplots(1, 3)
    flat = found.data.values.reshape(-1, len(found.data.columns))
    rows = flat[:: max(1, len(flat) // MOST_ROWS)]
    standard = (rows - rows.mean(0)) / rows.std(0)
    _quantiles(quantiles, standard, found.data.columns)
    kurtosis = found.gaussianity.excess_kurtosis[: len(found.data.columns)]
    skewness = found.gaussianity.skewness[: len(found.data.columns)]
    worst = int((np.abs(kurtosis) + np.abs(skewness)).argmax())
    _histogram(histogram, standard[:, worst], found.data.columns[worst])
    _moments(moments, found)
    return figure


def time_figure(found: Diagnosis) -> Figure:
    """Mean and spread of each principal direction within episodes and over the recording."""
    figure = style.new_figure(style.WIDTH_IN, 4.6)
    axes = figure.subplots(2, 2)
    part = found.stationarity
    time_s = np.arange(found.data.frames) * found.data.step_s
    within = "time within the episode [s]"
    _directions(axes[0, 0], "Mean within an episode", within, time_s, part.mean_over_time)
    _directions(axes[0, 1], "Spread within an episode", within, time_s, part.spread_over_time)
    centres, means = _grouped(part.mean_over_episodes)
    _directions(axes[1, 0], "Mean along the recording", "episode", centres, means)
    squares = _grouped(part.spread_over_episodes**2)[1]
    _directions(axes[1, 1], "Spread along the recording", "episode", centres, np.sqrt(squares))
    for one in axes[:, 1]:
        one.set_ylim(bottom=0)
    for one in axes[:, 0]:
        low, high = one.get_ylim()
        one.set_ylim(min(low, -1), max(high, 1))  # small drifts shall look small
    return figure


def noise_figure(found: Diagnosis) -> Figure:
    """Noise by level of state, of the linear prediction and the model's; and by episode."""
    figure = style.new_figure(style.WIDTH_IN, 3.1)
    states, episodes = figure.subplots(1, 2)
    tenth = np.arange(1, len(found.noise.levels) + 1)
    states.plot(tenth, found.noise.levels, "o-", color=style.BLUE, label="linear prediction")
    if found.model_noise is not None:
        levels = found.model_noise.levels
        states.plot(tenth, levels, "s-", color=style.ORANGE, label="the model's prediction")
    style.dress(states, "Noise by state", "tenth of states, quietest first", "noise, relative")
    states.set_ylim(bottom=0)
    style.reference_line(states, 1.0, "additive")
    style.legend(states)
    early, late = found.noise.by_episode.T
    episodes.plot(early, late, "o", color=style.BLUE, markersize=3, alpha=0.6, markeredgewidth=0)
    style.dress(episodes, "Noise by episode", "first half, relative", "second half, relative")
    episodes.set_xlim(left=0)
    episodes.set_ylim(bottom=0)
    return figure


def spectrum_figure(found: Diagnosis) -> Figure:
    """Variance of each direction, and rate of each live one relative to the slowest."""
    figure = style.new_figure(style.WIDTH_IN, 3.1)
    variance, speed = figure.subplots(1, 2)
    spectrum = np.maximum(found.promise.spectrum, 1e-6 * found.promise.spectrum[0])
    number = np.arange(1, len(spectrum) + 1)
    variance.plot(number, spectrum, "o-", color=style.BLUE, markersize=4)
    style.dress(variance, "Variance", "direction, widest first", "variance")
    style.reference_line(variance, DEAD_SHARE * spectrum[0], "dead below")
    style.log_scale(variance)
    rate = -np.log(np.clip(found.rates.rho, 1e-3, 1 - 1e-9))
    number = np.arange(1, len(rate) + 1)
    speed.plot(number, rate / rate.min(), "o-", color=style.GREEN, markersize=4)
    style.dress(speed, "Forgetting rate", "direction, slowest first", "rate / slowest rate")
    of_world = found.shapes if found.data.own_units else None
    limit = PREDICTED_FAILURE if of_world is None else float(of_world.limit)
    style.reference_line(speed, limit, "predicted failure above")
    speed.set_ylim(0.8, max(2.0 * limit, 1.5 * float((rate / rate.min()).max())))
    style.log_scale(speed)
    for one in (variance, speed):
        one.xaxis.get_major_locator().set_params(integer=True)
    return figure


def _quantiles(axes: Axes, standard: Array, columns: tuple[str, ...]) -> None:
    share = np.linspace(0.002, 0.998, QUANTILES)
    normal = ndtri(share)
    found = np.quantile(standard, share, axis=0)
    axes.plot(normal, normal, color=style.MUTED, linewidth=0.9, linestyle=(0, (4, 3)))
    style.dress(axes, "Quantiles", "Gaussian", "found")
    _lines(axes, normal, found, [style.plain_text(name) for name in columns], width=1.5)


def _lines(
    axes: Axes, x: NDArray[np.floating], values: Array, names: Sequence[str], width: float
) -> None:
    """A line each column of ``values`` (N, C) over ``x`` (N,), with its name where they are few."""
    few = len(names) <= NAMED
    for i, name in enumerate(names):
        colour = style.SERIES[i % len(style.SERIES)] if few else style.BLUE
        label, alpha = (name, 1.0) if few else (None, FAINT)
        axes.plot(x, values[:, i], color=colour, alpha=alpha, label=label, linewidth=width)
    if few:
        style.legend(axes)


def _histogram(axes: Axes, values: Array, name: str) -> None:
    axes.hist(values, bins=60, range=(-4, 4), density=True, color=style.GRID)
    at = np.linspace(-4, 4, 200)
    axes.plot(at, np.exp(-(at**2) / 2) / np.sqrt(2 * np.pi), color=style.INK, linewidth=1.2)
    style.dress(axes, f"Worst column: {style.plain_text(name)}", "standard deviations", "density")


def _moments(axes: Axes, found: Diagnosis) -> None:
    columns = len(found.data.columns)
    skewness, kurtosis = found.gaussianity.skewness, found.gaussianity.excess_kurtosis
    axes.fill_between([-0.5, 0.5], -0.5, 0.5, color=style.GRID, alpha=0.5, linewidth=0)
    for part, colour, size, label in (
        (slice(columns, None), style.MUTED, 3, "random directions"),
        (slice(columns), style.BLUE, 4, "columns"),
    ):
        axes.plot(skewness[part], kurtosis[part], "o", color=colour, markersize=size, label=label)
    style.dress(axes, "Every direction", "skewness", "excess kurtosis", grid=None)
    reach = 1.1 * max(1.0, float(np.abs(skewness).max()))
    axes.set_xlim(-reach, reach)
    style.legend(axes)


def _directions(
    axes: Axes, title: str, across: str, x: NDArray[np.floating], values: Array
) -> None:
    style.dress(axes, title, across, "standard deviations")
    names = [f"direction {i + 1}" for i in range(values.shape[1])]
    _lines(axes, x, values, names, width=1.2)


def _grouped(values: Array, groups: int = 20) -> tuple[Array, Array]:
    """Means of neighbouring episodes: their middles (G,) and values (G, R) of (E, R)."""
    numbers = np.array_split(np.arange(len(values)), min(groups, len(values)))
    centres = np.array([part.mean() for part in numbers])
    return centres, np.array([values[part].mean(0) for part in numbers])
