"""What a goal metric is like far from the goal: does going downhill lead there?

Two models with the same probes and the same prediction error can hold 65 or 99 of a hundred goals:
what differs is the distance that the planner goes down, far away. It can be seen without acting.
Recorded frames are gathered into cells that lie close together in the world; two cells are
neighbours where a recording went from one to the other. On that graph

    the true distance to a goal is the number of steps of the shortest way,
    the planner goes from cell to cell, each time to the neighbour nearest by the goal metric,
    and where it stops elsewhere than at the goal there is a false minimum.

A way that was gone is taken to be open in both directions.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.cluster.vq import kmeans2
from scipy.sparse.csgraph import connected_components, dijkstra
from scipy.spatial import KDTree

from agent.interfaces import Array
from agent.model.world_model import WorldModel
from agent.training.diagnostics import ProbeTargets

CELLS, FRAMES_A_CELL = 200, 30
GOALS = 60
HORIZON = 8  # model steps that a planner looks ahead
_GATHERED = 20_000  # frames that place the cells
_NEAR_STEPS = 1  # of the goal: there a plan reaches it

Rows = Sequence[NDArray[np.floating]]  # of episodes, (T, ...) each
Indices = NDArray[np.intp]


@dataclass(frozen=True)
class Geometry:
    """Shares of starts and of steps, over many goals.

    ``false_minima``: starts from which going downhill ends elsewhere than at the goal. ``rises``:
    steps of shortest ways on which the distance rises. ``rank_correlation`` (Spearman) of the goal
    metric with the true number of steps, mean over goals. ``joined``: cells that are connected.
    ``places`` says what put the frames into cells.
    """

    false_minima: float
    rises: float
    rank_correlation: float
    joined: float
    places: str = ""


def geometry_of(
    model: WorldModel, states: Rows, embeddings: Rows, rows_a_step: int
) -> Geometry | None:
    """Of a trained ``model``, from ``states`` (T, S) and ``embeddings`` (T, D) of episodes.

    A model step is ``rows_a_step`` rows. Cells are of the world's own coordinates where they were
    recorded and are at hand, else of the goal metric's. It takes hundreds of episodes: where they
    left out a way from cell to cell, there seems to be a false minimum.
    """
    at = model.goal_metric
    with torch.no_grad():
        measured = [model.measured(torch.as_tensor(z).to(at)).cpu().numpy() for z in embeddings]
    targets = ProbeTargets(model.spec)
    told = bool(targets.names) and all(state.shape[1] == len(model.spec.state) for state in states)
    places = [targets.values(np.asarray(state, np.float64)) for state in states] if told else []
    known = bool(places) and all(np.isfinite(place).all() for place in places)
    found = geometry(places if known else measured, measured, HORIZON * rows_a_step)
    where = "the world's coordinates" if known else "the goal metric"
    return None if found is None else replace(found, places=where)


def geometry(places: Rows, measured: Rows, reach: int, seed: int = 0) -> Geometry | None:
    """Of episodes: ``places`` (T, P) in the world, ``measured`` (T, W) by the goal metric.

    ``reach``: frames within which one cell leads to another. None where the frames are too few, or
    no cell leads to two others.
    """
    rng = np.random.default_rng(seed)
    everywhere = np.concatenate(places).astype(np.float64)
    values = np.concatenate(measured).astype(np.float64)
    cells = min(CELLS, len(everywhere) // FRAMES_A_CELL)
    if cells < 3:
        return None
    labels, chosen = _cells(everywhere / (everywhere.std(0) + 1e-12), cells, rng)
    graph = _ways(labels, [len(one) for one in places], len(chosen), reach)
    _, component = connected_components(graph, directed=False)
    inside = np.flatnonzero(component == np.bincount(component).argmax())
    if len(inside) < 3:
        return None
    return _judge(
        graph[np.ix_(inside, inside)], values[chosen[inside]], len(inside) / len(chosen), rng
    )


def _cells(places: Array, count: int, rng: np.random.Generator) -> tuple[Indices, Indices]:
    """The cell of every frame (N,), and the frame (C,) that stands for each cell."""
    sample = rng.choice(len(places), min(_GATHERED, len(places)), replace=False)
    with warnings.catch_warnings():  # a cell that is left empty is left out
        warnings.filterwarnings("ignore", "One of the clusters is empty", UserWarning)
        centres, _ = kmeans2(places[sample], places[sample[:count]], iter=8, minit="matrix")
    centres = centres[np.isfinite(centres).all(1)]
    chosen = np.unique(_nearest(centres, places))
    return _nearest(places, places[chosen]), chosen


def _nearest(points: Array, among: Array) -> Indices:
    """Which of ``among`` (M, P) each of ``points`` (N, P) is nearest to (N,)."""
    tree: Any = KDTree(among)  # type: ignore[no-untyped-call]
    found: Indices = tree.query(points)[1]
    return found


def _ways(labels: Indices, lengths: Sequence[int], cells: int, reach: int) -> NDArray[np.bool_]:
    """Which cells follow one another within ``reach`` frames of an episode (C, C)."""
    ends = np.cumsum(lengths)
    last = np.repeat(ends, lengths)  # of each frame's own episode
    led = np.zeros((cells, cells), bool)
    for lag in range(1, reach + 1):
        rows = np.flatnonzero(np.arange(len(labels)) + lag < last)
        led[labels[rows], labels[rows + lag]] = True
    np.fill_diagonal(led, False)
    return led | led.T


def _judge(
    graph: NDArray[np.bool_], values: Array, joined: float, rng: np.random.Generator
) -> Geometry:
    from scipy.stats import spearmanr  # a second to load, and needed only here

    goals = rng.choice(len(values), min(GOALS, len(values)), replace=False)
    steps, towards = dijkstra(graph, directed=False, indices=goals, return_predecessors=True)
    stuck, rising, agreeing = [], [], []
    for goal, true, following in zip(goals, steps, towards, strict=True):
        apart = np.linalg.norm(values - values[goal], axis=1)
        far = np.flatnonzero(true > _NEAR_STEPS)
        if not len(far):
            continue
        stuck.append(true[_downhill(graph, apart)][far] > _NEAR_STEPS)
        rising.append(apart[following[far]] > apart[far])
        agreeing.append(float(spearmanr(apart, true).statistic))
    if not stuck:
        return Geometry(0.0, 0.0, 1.0, joined)
    return Geometry(
        float(np.concatenate(stuck).mean()), float(np.concatenate(rising).mean()),
        float(np.mean(agreeing)), joined,
    )  # fmt: skip


def _downhill(graph: NDArray[np.bool_], apart: Array) -> Indices:
    """Where going to the nearest neighbour again and again ends, from every cell (C,)."""
    following = np.arange(len(apart))
    for cell in range(len(apart)):
        around = np.flatnonzero(graph[cell])
        best = around[np.argmin(apart[around])]
        if apart[best] < apart[cell]:
            following[cell] = best
    while True:
        further = following[following]
        if np.array_equal(further, following):
            return following
        following = further
