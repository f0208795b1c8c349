"""How a training went, from the lines of ``metrics.jsonl``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from agent.errors import UserError
from agent.model.sigreg import GAUSSIAN
from agent.reporting import style
from agent.training.recorder import CURVES_NAME, read_metrics

Report = Mapping[str, Any]
STEP = "training step"


def learning_curves(metrics: Sequence[Report]) -> Figure:
    """Losses, probe R², open-loop error by horizon, effective rank and SIGReg.

    ``metrics`` as :func:`agent.training.recorder.read_metrics` gives them; UserError of none.
    """
    if not metrics:
        raise UserError("expected reports of a training to draw, got none: train first")
    diagnosed = [report for report in metrics if report.get("diagnostics")]
    figure = style.new_figure(style.WIDTH_IN, 6.6)
    grid = figure.add_gridspec(4, 2)
    _losses(figure.add_subplot(grid[:2, 0]), metrics)
    _probes(figure.add_subplot(grid[:2, 1]), diagnosed)
    _horizons(figure.add_subplot(grid[2:, 0]), diagnosed)
    rank = figure.add_subplot(grid[2, 1])
    _rank(rank, diagnosed)
    _sigreg(figure.add_subplot(grid[3, 1], sharex=rank), metrics, diagnosed)
    return figure


def draw_curves(out: Path) -> None:
    """Those of the run in ``out``, beside what it said."""
    style.save_png(learning_curves(read_metrics(out)), out / CURVES_NAME)


def _losses(axes: Axes, metrics: Sequence[Report]) -> None:
    style.dress(axes, "Losses, log scale", STEP, "loss")
    axes.plot(*_series(metrics, "loss"), color=style.MUTED, linewidth=1.3, label="total")
    for key, label, colour in (
        ("multi_step", "prediction, several steps", style.ORANGE),
        ("one_step", "prediction, one step", style.BLUE),
    ):
        axes.plot(*_series(metrics, key), color=colour, linewidth=1.3, label=label)
    style.log_scale(axes)
    style.legend(axes)


def _probes(axes: Axes, diagnosed: Sequence[Report]) -> None:
    style.dress(axes, "What a linear probe reads from an embedding", STEP, "R², held-out episodes")
    targets = diagnosed[-1]["diagnostics"]["probe_r2"] if diagnosed else ()
    for target, colour in zip(targets, cycle(style.SERIES), strict=False):
        steps, seen = _series(diagnosed, "diagnostics", "probe_r2", target)
        ahead = _series(diagnosed, "diagnostics", "open_loop_probe_r2", target)[1]
        last = f"{seen[-1]:.3f}".replace("-", "\N{MINUS SIGN}")
        label = style.plain_text(f"{target}  {last}")
        seen, ahead = np.maximum(seen, 0.0), np.maximum(ahead, 0.0)
        axes.plot(steps, seen, "o-", color=colour, markersize=3, label=label)
        axes.plot(steps, ahead, "o:", color=colour, markersize=2, linewidth=1.0)
    if not targets:
        axes.text(0.5, 0.5, "no states were recorded", ha="center", color=style.MUTED,
                  transform=axes.transAxes)  # fmt: skip
        return
    axes.plot([], [], ":", color=style.MUTED, label="after 10 imagined steps")
    axes.set_ylim(-0.05, 1.02)  # what is worse than the mean is drawn as that, whatever its number
    style.legend(axes, columns=2)


def _horizons(axes: Axes, diagnosed: Sequence[Report]) -> None:
    style.dress(
        axes,
        "Prediction error by horizon, log scale",
        "model steps imagined ahead",
        "mean squared error",
    )
    colours = matplotlib.colormaps["viridis_r"](np.linspace(0.1, 0.95, max(len(diagnosed), 1)))
    labelled = {0, len(diagnosed) // 2, len(diagnosed) - 1}
    for index, (report, colour) in enumerate(zip(diagnosed, colours, strict=False)):
        errors = _floats(report["diagnostics"]["open_loop_error"])
        label = f"step {report['step']}" if index in labelled else None
        horizon = np.arange(1, len(errors) + 1)
        axes.plot(horizon, errors, "o-", color=colour, markersize=3, linewidth=1.3, label=label)
    style.log_scale(axes)
    style.reference_line(axes, 1.0, "always guessing the mean")
    if diagnosed:
        style.legend(axes)


def _rank(axes: Axes, diagnosed: Sequence[Report]) -> None:
    style.dress(axes, "Effective rank of the embedding")
    steps, values = _series(diagnosed, "diagnostics", "effective_rank")
    axes.plot(steps, values, "o-", color=style.GREEN, markersize=3)
    axes.set_ylim(0.0, 1.15 * float(np.nanmax([1.0, *values])))
    axes.tick_params(labelbottom=False)


def _sigreg(axes: Axes, metrics: Sequence[Report], diagnosed: Sequence[Report]) -> None:
    style.dress(axes, "SIGReg, log scale", STEP)
    axes.plot(*_series(metrics, "sigreg"), color=style.MUTED, linewidth=1.0, label="training")
    apart = _series(diagnosed, "diagnostics", "sigreg")
    axes.plot(*apart, "o-", color=style.GREEN, markersize=3, label="frames far apart")
    style.reference_line(axes, GAUSSIAN, "independent Gaussian rows")
    style.log_scale(axes)
    style.legend(axes, columns=2, where="center right")


def _series(reports: Iterable[Report], *keys: str) -> tuple[list[int], NDArray[np.float64]]:
    """Steps and one number of each report, found by ``keys``; one that lacks it has a gap."""
    steps, values = [], []
    for report in reports:
        value: Any = report
        for key in keys:
            value = None if value is None else value.get(key)
        steps.append(report["step"])
        values.append(value)
    return steps, _floats(values)


def _floats(values: Iterable[float | None]) -> NDArray[np.float64]:
    """Numbers to draw; null stands for NaN, which draws as a gap."""
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
