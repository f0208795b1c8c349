"""What the model imagines, shown as the training frames nearest to its predictions.

There is no decoder: from one moment on the model sees nothing but actions, and each embedding it
predicts is looked up among embeddings of training frames, by the distance the planner uses.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from agent.data.episodes import Episodes, Rows
from agent.errors import UserError
from agent.evaluation.statistics import in_digits
from agent.interfaces import Array, Image
from agent.model.world_model import WorldModel
from agent.reporting.embedding import apart, embed
from agent.reporting.style import INK, MUTED, SMALL_PT, TEXT_PT, WIDTH_IN, bare, new_figure
from envs import goal_unit, worst_error

SHOWN_EVERY = 2  # model steps between two columns
LIBRARY_FRAMES = 20_000  # enough to find a frame within a few hundredths of a radian


@dataclass(frozen=True)
class Imagined:
    """C moments of one episode: the first is seen, the others are imagined.

    ``times_s`` (C,) since the last frame seen; ``real`` and ``nearest`` uint8 (C, h, w, 3);
    ``error`` (C,) how far the true states of the two are apart, the largest of what a goal is
    about, in ``unit``; NaN where no state says so.
    """

    times_s: Array
    real: Image
    nearest: Image
    error: Array
    unit: str


def imagine(
    model: WorldModel,
    episodes: Episodes,
    library: Sequence[int],
    episode: int,
    start: int,
    steps: int = 16,
) -> Imagined:
    """Predict ``steps`` model steps open loop from env step ``start`` of ``episode``.

    ``start`` is late enough for the model's context; every second step is shown, by frames of the
    episodes ``library``, those the model was trained on. UserError if the episode is too short
    for that, or the library is empty.
    """
    rows = _model_step_rows(model, episodes, episode, start, steps)
    predicted = _open_loop(model, episodes, rows)
    shown = rows[model.context - 1 :: SHOWN_EVERY]
    last_seen = embed(model, episodes.pixels[shown[:1]])
    wanted = torch.cat([last_seen, predicted[SHOWN_EVERY - 1 :: SHOWN_EVERY]])
    found = _nearest_rows(model, episodes, library, wanted)
    step_s = SHOWN_EVERY * model.model_step_s
    error, spec = np.full(len(shown), np.nan), model.spec
    if spec.goal_columns:
        error = worst_error(spec, episodes.state[shown], episodes.state[found])
    return Imagined(
        times_s=np.arange(len(shown), dtype=np.float64) * step_s,
        real=episodes.pixels[shown],
        nearest=episodes.pixels[found],
        error=error,
        unit=goal_unit(spec) if spec.goal_columns else "",
    )


def draw_strip(imagined: Imagined) -> Figure:
    """Real frames above, imagined below: a column a moment, with its time and its error."""
    columns = len(imagined.times_s)
    tall = imagined.real.shape[1] / imagined.real.shape[2]
    figure = new_figure(WIDTH_IN, 2 * tall * (WIDTH_IN - 0.4) / columns + 0.55, padding_in=0.03)
    grid = figure.subplots(2, columns, squeeze=False)
    for row, pictures in zip(grid, (imagined.real, imagined.nearest), strict=True):
        bare(row)
        for axes, picture in zip(row, pictures, strict=True):
            axes.imshow(picture, interpolation="lanczos")
    for index, (above, below) in enumerate(grid.T):
        when = f"{imagined.times_s[index]:.2f} s" if index else "last seen"
        above.set_title(when, fontsize=TEXT_PT, color=INK)
        if np.isfinite(imagined.error[index]):
            off = f"{in_digits(imagined.error[index])} {imagined.unit} off"
            below.set_xlabel(off, fontsize=SMALL_PT, color=MUTED)
    for axes, name in zip(grid[:, 0], ("real", "imagined"), strict=True):
        axes.set_ylabel(name, fontsize=TEXT_PT, fontweight="bold", color=INK)
    return figure


def _model_step_rows(
    model: WorldModel, episodes: Episodes, episode: int, start: int, steps: int
) -> Rows:
    """Rows (L + steps,) of frames a model step apart, the L-th of them at env step ``start``."""
    assert 0 <= episode < episodes.count
    stride = model.config.action_block
    first, last = start - (model.context - 1) * stride, start + steps * stride
    span = episodes.rows(episode)
    if steps < 1 or first < 0 or last >= span.stop - span.start:
        raise UserError(
            f"cannot imagine {steps} model steps from env step {start}: expected at least one "
            f"step, and env steps {first} to {last} to lie within an episode of "
            f"{span.stop - span.start} frames"
        )
    rows: Rows = span.start + np.arange(first, last + 1, stride)
    return rows


def _open_loop(model: WorldModel, episodes: Episodes, rows: Rows) -> Tensor:
    """Embeddings (steps, D) predicted from the first L of ``rows`` and all actions."""
    actions = episodes.action[rows[0] : rows[-1]].reshape(len(rows) - 1, -1)
    blocks = torch.from_numpy(actions)[None]  # (1, L-1+steps, K*A)
    seen = embed(model, episodes.pixels[rows[: model.context]])[None]
    with torch.no_grad():
        return model.ahead(seen, blocks)[0]


def _nearest_rows(
    model: WorldModel, episodes: Episodes, library: Sequence[int], wanted: Tensor
) -> Rows:
    """The library row (C,) nearest to each embedding (C, D) by the goal metric."""
    if not len(library):
        raise UserError("expected at least one training episode to show frames of, got none")
    rows = episodes.row_numbers(library)
    rows = rows[:: math.ceil(len(rows) / LIBRARY_FRAMES)]
    known = embed(model, (episodes.pixels[rows[at : at + 1]][0] for at in range(len(rows))))
    nearest: Rows = rows[apart(model, wanted, known).argmin(1).numpy()]
    return nearest
