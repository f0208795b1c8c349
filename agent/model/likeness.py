"""How like the known pictures of a world a picture is, small, and in the embedding."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from agent.interfaces import FloatArray, Image

SIDE = 16  # of a thumbnail
NEAREST = 8
_RIDGE = 0.003  # of the neighbours' spread


def shrink(frames: Image) -> FloatArray:
    """Area means (E, 16, 16, 3) of frames uint8 (E, h, w, 3) with sides of at least 16 px."""
    episodes, height, width, colours = frames.shape
    lines = frames.reshape(episodes, height, width * colours).astype(np.float32)
    rows = (_means(height) @ lines).reshape(episodes, SIDE, width, colours)
    return _means(width) @ rows


@lru_cache(maxsize=8)
def _means(side: int) -> FloatArray:
    """(16, side): what each pixel along a side counts in the mean of each part of it."""
    part = np.searchsorted(np.arange(1, SIDE) * side // SIDE, np.arange(side), "right")
    inside = (part == np.arange(SIDE)[:, None]).astype(np.float32)
    means: FloatArray = inside / inside.sum(1, keepdims=True)
    return means


def outside_range(frames: Image, darkest: Image, brightest: Image) -> FloatArray:
    """By how much, of 255, pixels of frames (E, h, w, 3) leave their range on average, (E,)."""
    away = (np.maximum(frames, brightest) - brightest) + (darkest - np.minimum(frames, darkest))
    outside: FloatArray = away.sum((1, 2, 3), dtype=np.uint32) / np.float32(away[0].size)
    return outside.astype(np.float32)


def unlike_any(frames: Image, thumbnails: Image) -> FloatArray:
    """The least mean difference (of 255) of each frame from its thumbnails (E, N, ...), (E,)."""
    apart = (thumbnails - shrink(frames)[:, None]).reshape(*thumbnails.shape[:2], -1)
    least: FloatArray = np.abs(apart, out=apart).mean(2).min(1)
    return least


def nearest(
    embeddings: FloatArray,
    known: FloatArray,
    without: NDArray[np.int_] | None = None,
    lengths: FloatArray | None = None,
) -> NDArray[np.intp]:
    """Which of ``known`` (N, D) are nearest to each embedding (E, D): (E, 8), or N where there are
    fewer; ``without`` (E,) are left out. ``lengths`` (N,) are theirs, squared, if known already.
    """
    if lengths is None:
        lengths = np.square(known).sum(1)
    distances = lengths - 2 * (known @ embeddings.T).T  # less what all have in common
    if without is not None:
        distances[np.arange(len(without)), without] = np.inf
    count = min(NEAREST, len(known))
    within = np.partition(distances, count - 1, axis=1)[:, count - 1 : count]
    which = np.nonzero(distances <= within)[1]  # a third faster than asking for places at once
    if len(which) == count * len(distances):
        return which.reshape(-1, count)
    return np.argpartition(distances, count - 1, axis=1)[:, :count]  # several as far as the last


def beside(embeddings: FloatArray, neighbours: FloatArray) -> FloatArray:
    """How far each embedding (E, D) lies from what lies between its neighbours (E, N, D).

    Mean squares (E,). Weights that sum to one are those of locally linear embedding (Roweis & Saul
    2000, Science 290).
    """
    away = (neighbours - embeddings[:, None]).astype(np.float64)
    products = away @ away.transpose(0, 2, 1)
    count = away.shape[1]
    spread = products.trace(axis1=1, axis2=2)[:, None, None] / count
    ridge = (_RIDGE * spread + 1e-12) * np.eye(count)
    weights = np.linalg.solve(products + ridge, np.ones((len(away), count, 1)))
    rest = (weights / weights.sum(1, keepdims=True) * away).sum(1)
    far: FloatArray = np.square(rest).mean(1).astype(np.float32)
    return far
