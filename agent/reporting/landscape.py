"""The planner's goal distance over every pose of the arm, beside plain embedding distance.

A planner that goes downhill arrives where this map has one valley. Both distances are drawn from
zero to their own largest value: only the shape matters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.stats
import torch
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from numpy.typing import ArrayLike
from torch import Tensor

from agent.errors import UserError
from agent.interfaces import Array, Image
from agent.model.world_model import WorldModel
from agent.reporting.embedding import distances, embed
from agent.reporting.style import INK, MUTED, SMALL_PT, TEXT_PT, WIDTH_IN, bare, dress, new_figure
from envs import WRIST_LIMIT_RAD, Renderer, angle_error_rad

GRID_POSES = (49, 41)  # shoulder, wrist


@dataclass(frozen=True)
class Landscape:
    """Distances to the embedding of one goal picture, over S shoulder and W wrist angles.

    ``shoulder_rad`` (S,), ``wrist_rad`` (W,); ``planner`` by the goal metric and ``plain``
    Euclidean, both (W, S); ``true_rad`` (W, S) the length of the joint difference, the shoulder
    taken modulo 2π and the wrist, which cannot turn round, not.
    """

    goal_qpos_rad: Array
    goal_pixels: Image
    shoulder_rad: Array
    wrist_rad: Array
    planner: Array
    plain: Array
    true_rad: Array


def survey(
    model: WorldModel,
    renderer: Renderer,
    goal_qpos_rad: ArrayLike,
    grid: tuple[int, int] = GRID_POSES,
) -> Landscape:
    """Render a grid of poses, embed them and measure how far each is from the goal.

    Raises:
        UserError: if the renderer's profile or size is not the one the model was trained on.
    """
    _require_same_world(model, renderer)
    goal = np.asarray(goal_qpos_rad, dtype=np.float64)
    shoulder = np.linspace(-np.pi, np.pi, grid[0])
    wrist = np.linspace(-WRIST_LIMIT_RAD, WRIST_LIMIT_RAD, grid[1])
    poses = np.stack(np.meshgrid(shoulder, wrist), -1)  # (W, S, 2)
    goal_pixels = renderer.render_pose(goal)
    everywhere = embed(model, (renderer.render_pose(pose) for pose in poses.reshape(-1, 2)))
    there = embed(model, [goal_pixels])
    identity = torch.eye(model.latent_dim)
    shape = poses.shape[:2]
    return Landscape(
        goal_qpos_rad=goal,
        goal_pixels=goal_pixels,
        shoulder_rad=shoulder,
        wrist_rad=wrist,
        planner=_map(distances(everywhere, there, model.goal_metric), shape),
        plain=_map(distances(everywhere, there, identity), shape),
        true_rad=_joint_distance_rad(poses, goal),
    )


def cost_landscape(
    model: WorldModel,
    renderer: Renderer,
    goal_qpos_rad: ArrayLike,
    grid: tuple[int, int] = GRID_POSES,
) -> Figure:
    """Both heat maps with the goal picture; arguments and errors as for :func:`survey`."""
    return draw_landscape(survey(model, renderer, goal_qpos_rad, grid))


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
    """Spearman's rank correlation of a distance (W, S) with the true angle to the goal."""
    return float(scipy.stats.spearmanr(distance.ravel(), landscape.true_rad.ravel()).statistic)


def _heat_map(axes: Axes, landscape: Landscape, distance: Array, title: str) -> QuadMesh:
    shown = distance / max(float(distance.max()), 1e-12)
    x, y = landscape.shoulder_rad, landscape.wrist_rad
    agreement = f"agreement with true angles: {order_agreement(landscape, distance):.2f}"
    dress(axes, title, f"shoulder [rad]\n{agreement}", "wrist [rad]", grid=None)
    image = axes.pcolormesh(
        x, y, shown, cmap="viridis", vmin=0, vmax=1, shading="gouraud", rasterized=True
    )
    axes.contour(x, y, shown, levels=np.arange(0.1, 1.0, 0.1), colors="white", linewidths=0.4)
    axes.plot(*landscape.goal_qpos_rad, "x", color="white", markersize=11, markeredgewidth=4)
    axes.plot(*landscape.goal_qpos_rad, "x", color="#d1242f", markersize=9, markeredgewidth=2)
    axes.set_xticks([-np.pi, 0, np.pi], ["\N{MINUS SIGN}π", "0", "π"])
    return image


def _joint_distance_rad(poses: Array, goal: Array) -> Array:
    shoulder = angle_error_rad(poses, goal)[..., 0]
    distance: Array = np.hypot(shoulder, poses[..., 1] - goal[1])
    return distance


def _map(distance: Tensor, shape: tuple[int, ...]) -> Array:
    values: Array = distance.double().numpy().reshape(shape)
    return values


def _require_same_world(model: WorldModel, renderer: Renderer) -> None:
    expected = (model.config.render_profile, model.config.encoder.image_size)
    found = (renderer.profile, renderer.size)
    if found != expected:
        raise UserError(
            f"expected a renderer of profile and size {expected}, as the model was trained on, "
            f"got {found}"
        )
