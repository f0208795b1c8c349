"""The planner's goal distance over all places of a world, beside plain embedding distance.

Drawn over the first two numbers that a goal is about, where both have a range and the world can be
posed. A planner that goes downhill arrives where this map has one valley. Both distances are drawn
from zero to their own largest value: only the shape matters.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

import numpy as np
import scipy.stats
import torch
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

from agent.interfaces import Array, Image
from agent.model.world_model import WorldModel
from agent.reporting.embedding import apart, embed
from agent.reporting.style import INK, MUTED, SMALL_PT, TEXT_PT, WIDTH_IN, bare, dress, new_figure
from envs import Column, Posable, PoseError, World, WorldSpec, distance_to_goal

GRID = (49, 41)  # along the first and the second number


@dataclass(frozen=True)
class Landscape:
    """Distances to the embedding of one goal picture, over X by Y states.

    ``columns`` the two numbers of the state that are drawn, ``x`` (X,) and ``y`` (Y,) their values,
    ``goal`` (2,) those of the goal; ``planner`` by the goal metric and ``plain`` Euclidean, both
    (Y, X), NaN where the world cannot be; ``true`` (Y, X) how far the states are, in tolerances.
    """

    columns: tuple[Column, Column]
    goal: Array
    goal_pixels: Image
    x: Array
    y: Array
    planner: Array
    plain: Array
    true: Array


def drawn_columns(spec: WorldSpec) -> tuple[int, int] | None:
    """The two numbers of the state to draw over; None where a map makes no sense."""
    ranged = [i for i in spec.goal_columns if all(map(isfinite, _range(spec.state[i])))]
    return (ranged[0], ranged[1]) if len(ranged) >= 2 else None


def survey(model: WorldModel, world: World, goal: Array, grid: tuple[int, int] = GRID) -> Landscape:
    """Draw a grid of states, embed them and measure how far each is from ``goal`` (S,).

    The world can be posed and has two columns to draw over; SpecError if the model is of another.
    """
    columns = drawn_columns(world.spec)
    assert isinstance(world, Posable) and columns is not None, "a world with a map to draw"
    model.spec.require_same(world.spec, "the world to draw")
    first, second = (world.spec.state[i] for i in columns)
    x, y = np.linspace(*_range(first), grid[0]), np.linspace(*_range(second), grid[1])
    states = np.tile(goal, (len(y), len(x), 1))
    states[..., columns[0]], states[..., columns[1]] = np.meshgrid(x, y)
    there = embed(model, [world.picture(goal)])
    pictures = [_picture(world, state) for state in states.reshape(-1, states.shape[-1])]
    possible = np.array([picture is not None for picture in pictures])
    everywhere = embed(model, (picture for picture in pictures if picture is not None))
    free = possible.reshape(states.shape[:2])
    return Landscape(
        columns=(first, second),
        goal=goal[list(columns)],
        goal_pixels=world.picture(goal),
        x=x,
        y=y,
        planner=_map(apart(model, everywhere, there), free),
        plain=_map(torch.cdist(everywhere, there), free),
        true=distance_to_goal(world.spec, states, goal),
    )


def draw_landscape(landscape: Landscape) -> Figure:
    """Goal picture, then the planner's distance, then plain embedding distance."""
    figure = new_figure(WIDTH_IN, 3.5)
    picture, planner, plain = figure.subplots(1, 3, width_ratios=(0.55, 1.0, 1.0))
    picture.imshow(landscape.goal_pixels, interpolation="lanczos")
    bare([picture])
    picture.set_title("Goal", loc="left", fontsize=TEXT_PT + 1, fontweight="bold", color=INK)
    _heat_map(planner, landscape, landscape.planner, "Distance the planner descends")
    image = _heat_map(plain, landscape, landscape.plain, "Plain embedding distance")
    bar = figure.colorbar(image, ax=(planner, plain), ticks=(0.0, 1.0), shrink=0.8, pad=0.02)
    bar.ax.set_yticklabels(("goal", "farthest"), fontsize=SMALL_PT, color=MUTED)
    bar.outline.set_visible(False)
    return figure


def order_agreement(landscape: Landscape, distance: Array) -> float:
    """Spearman's rank correlation of a distance (Y, X) with how far the goal truly is."""
    known = np.isfinite(distance)
    return float(scipy.stats.spearmanr(distance[known], landscape.true[known]).statistic)


def _heat_map(axes: Axes, landscape: Landscape, distance: Array, title: str) -> QuadMesh:
    shown = distance / max(float(np.nanmax(distance)), 1e-12)
    across, up = (_label(column) for column in landscape.columns)
    agreement = f"agreement with the truth: {order_agreement(landscape, distance):.2f}"
    dress(axes, title, f"{across}\n{agreement}", up, grid=None)
    x, y = landscape.x, landscape.y
    image = axes.pcolormesh(
        x, y, shown, cmap="viridis", vmin=0, vmax=1, shading="nearest", rasterized=True
    )
    downwards = landscape.columns[1].unit == "px"  # as in the picture
    axes.set_xlim(x[0], x[-1])
    axes.set_ylim(*(y[[-1, 0]] if downwards else y[[0, -1]]))
    axes.contour(x, y, shown, levels=np.arange(0.1, 1.0, 0.1), colors="white", linewidths=0.4)
    axes.plot(*landscape.goal, "x", color="white", markersize=11, markeredgewidth=4)
    axes.plot(*landscape.goal, "x", color="#d1242f", markersize=9, markeredgewidth=2)
    return image


def _range(column: Column) -> tuple[float, float]:
    """Its limits where it has some, else once round."""
    if isfinite(column.low) and isfinite(column.high):
        return column.low, column.high
    return -column.period / 2, column.period / 2


def _label(column: Column) -> str:
    return f"{column.name} [{column.unit}]" if column.unit else column.name


def _picture(world: Posable, state: Array) -> Image | None:
    """None where the world cannot be, such as inside a wall."""
    try:
        return world.picture(state)
    except PoseError:
        return None


def _map(distance: Tensor, free: NDArray[np.bool_]) -> Array:
    """Distances of the states that are ``free`` (Y, X), on the grid."""
    values = np.full(free.shape, np.nan)
    values[free] = distance.double().numpy().ravel()
    return values
