"""How like the known pictures of a world a picture is, small, and in the embedding."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
Image = NDArray[np.uint8]

SIDE = 16  # of a thumbnail
NEAREST = 8
_RIDGE = 0.003  # of the neighbours' spread


def shrink(frames: Image) -> FloatArray:
    """Area means (E, 16, 16, 3) of frames uint8 (E, h, w, 3) with sides of at least 16 px."""
    height, width = frames.shape[1:3]
    tops, lefts = (np.arange(SIDE) * side // SIDE for side in (height, width))
    rows = np.add.reduceat(frames, tops, axis=1, dtype=np.float32)
    sums = np.add.reduceat(rows, lefts, axis=2)
    heights, widths = np.diff([*tops, height]), np.diff([*lefts, width])
    areas = (heights[:, None] * widths)[..., None]
    means: FloatArray = (sums / areas).astype(np.float32)
    return means


def outside_range(frames: Image, darkest: Image, brightest: Image) -> FloatArray:
    """By how much, of 255, pixels of frames (E, h, w, 3) leave their range on average, (E,)."""
    beyond = np.maximum(frames, brightest) - brightest
    below = darkest - np.minimum(frames, darkest)
    outside: FloatArray = (beyond.mean((1, 2, 3)) + below.mean((1, 2, 3))).astype(np.float32)
    return outside


def unlike_nearest(
    frames: Image, embeddings: FloatArray, known: FloatArray, thumbnails: Image
) -> FloatArray:
    """The least mean difference (of 255) from the thumbnails of the nearest ``known``, (E,)."""
    return unlike_any(frames, thumbnails[nearest(embeddings, known)])


def unlike_any(frames: Image, thumbnails: Image) -> FloatArray:
    """The least mean difference (of 255) of each frame from its thumbnails (E, N, ...), (E,)."""
    apart = np.abs(thumbnails - shrink(frames)[:, None]).mean((2, 3, 4))
    least: FloatArray = apart.min(1).astype(np.float32)
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
    distances = lengths - 2 * embeddings @ known.T  # less what all have in common
    if without is not None:
        distances[np.arange(len(without)), without] = np.inf
    count = min(NEAREST, len(known))
    which: NDArray[np.intp] = np.argpartition(distances, count - 1, axis=1)[:, :count]
    return which


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
