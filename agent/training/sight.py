"""From recordings to a model's sight: what its pictures look like, how well it foresees them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from agent.data.episodes import Episodes, Rows
from agent.interfaces import Array, FloatArray, Image
from agent.model.likeness import nearest, outside_range, shrink, unlike_any
from agent.model.sight import Sight
from agent.model.world_model import WorldModel

KEPT = 4096
DRIFT_GAIN = 0.5  # as the controller's
_RANGE_FRAMES, _HELD_OUT_EPISODES, _CHUNK, _PARTS = 16384, 20, 512, 4
# Times the largest value of frames that were left out. A controller goes where recordings seldom
# do, and its full swings surprise a model several times as much as they.
_OUTSIDE, _UNLIKE, _NEWS, _DRIFT, _REPEATED, _PUSHED = 4.0, 1.25, 10.0, 15.0, 3.0, 1.5
_LEAST_OUTSIDE, _LEAST_UNLIKE = 0.1, 0.5  # of 255, where a picture hardly ever changes
_LEAST_NEWS, _LEAST_PUSH = 1e-6, 0.05
_STILL, _REST = 3.0, 1.5  # times the median error


def learn_sight(model: WorldModel, episodes: Episodes, train: Rows, held_out: Rows) -> Sight:
    """The sight of ``model``, from frames of the episodes ``train``.

    How strange a frame may be is asked of each quarter of those episodes, as the other three see
    it, and of ``held_out``; how wrong a prediction may be, of ``held_out`` alone. Where none of
    those is as long as the model's memory, any prediction may be as wrong as it likes.
    """
    model.eval()
    count = min(_PARTS, len(train))
    parts = [_part(model, episodes, train[first::count]) for first in range(count)]
    known = _together(parts)
    strange = [
        _strangest(part.frames, part.embeddings, _together(parts[:i] + parts[i + 1 :]))
        for i, part in enumerate(parts)
        if len(parts) > 1
    ]
    news, drift, still, shares = [], [], [0.0], [0.0]
    for frames, seen, errors, pushes in _foreseen(model, episodes, held_out):
        strange.append(_strangest(frames, seen, known))
        squares = np.square(errors).mean(-1)
        news += squares.tolist()
        drift += [float(np.square(mean).mean()) for mean in _running_means(errors)]
        again = _repeated(frames)[len(frames) - len(squares) :]
        still += squares[again].tolist()
        shares += (squares[again] / np.maximum(pushes[again], _LEAST_PUSH)).tolist()
    if not news:
        news = drift = [np.inf]  # no episode is as long as the model's memory
    outside, unlike = np.max(strange, 0)
    return Sight(
        known.embeddings, known.thumbnails, known.darkest, known.brightest,
        outside_limit=float(max(_LEAST_OUTSIDE, _OUTSIDE * outside)),
        unlike_limit=float(max(_LEAST_UNLIKE, _UNLIKE * unlike)),
        news_limit=float(max(_LEAST_NEWS, _NEWS * max(news))),
        drift_limit=float(max(_LEAST_NEWS, _DRIFT * max(drift))),
        still_limit=float(max(_LEAST_NEWS, _STILL * np.median(news), _REPEATED * max(still))),
        rest_limit=float(max(_LEAST_NEWS, _REST * np.median(news))),
        push_share=float(_PUSHED * max(shares)),
    )  # fmt: skip


def what_is_off(sight: Sight, least_frames: int) -> str:
    """Why a part of the guard is off, where it is; else nothing."""
    if np.isfinite(sight.news_limit):
        return ""
    return (
        "no limit for predictions that go wrong: expected held-out episodes of "
        f"{least_frames} frames or more to learn it from, got none; record longer episodes"
    )


@dataclass(frozen=True)
class _Known:
    """Frames that were looked at: a few of them, those as :class:`Sight` keeps them, and the range
    of many.
    """

    frames: Image
    embeddings: FloatArray
    thumbnails: Image
    darkest: Image
    brightest: Image


def _part(model: WorldModel, episodes: Episodes, ids: Rows) -> _Known:
    rows = _evenly(episodes, ids, KEPT // _PARTS)
    frames = episodes.pixels[rows]
    darkest, brightest = _range(episodes, _evenly(episodes, ids, _RANGE_FRAMES // _PARTS))
    small = np.rint(shrink(frames)).astype(np.uint8)
    return _Known(frames, _encode(model, frames), small, darkest, brightest)


def _together(parts: Sequence[_Known]) -> _Known:
    return _Known(
        parts[0].frames[:0],
        np.concatenate([part.embeddings for part in parts]),
        np.concatenate([part.thumbnails for part in parts]),
        np.min([part.darkest for part in parts], 0),
        np.max([part.brightest for part in parts], 0),
    )


def _strangest(frames: Image, embeddings: FloatArray, known: _Known) -> tuple[float, float]:
    """How far any of those frames leaves the known range, and differs from its neighbours."""
    outside, unlike = [], []
    for first in range(0, len(frames), _CHUNK):
        some = slice(first, first + _CHUNK)
        outside.append(outside_range(frames[some], known.darkest, known.brightest).max())
        near = known.thumbnails[nearest(embeddings[some], known.embeddings)]
        unlike.append(unlike_any(frames[some], near).max())
    return float(max(outside)), float(max(unlike))


def _evenly(episodes: Episodes, ids: Rows, count: int) -> Rows:
    """At most ``count`` row numbers, spread over the episodes ``ids``."""
    rows = episodes.row_numbers(ids)
    chosen: Rows = rows[np.linspace(0, len(rows) - 1, min(count, len(rows))).astype(int)]
    return chosen


def _range(episodes: Episodes, rows: Rows) -> tuple[Image, Image]:
    """The darkest and the brightest value of each pixel in those frames."""
    chunks = (episodes.pixels[rows[at : at + _CHUNK]] for at in range(0, len(rows), _CHUNK))
    ranges = [(frames.min(0), frames.max(0)) for frames in chunks]
    darkest: Image = np.min([low for low, _ in ranges], 0)
    brightest: Image = np.max([high for _, high in ranges], 0)
    return darkest, brightest


@torch.no_grad()
def _encode(model: WorldModel, frames: Image) -> FloatArray:
    at = model.goal_metric.device
    parts = [frames[first : first + _CHUNK] for first in range(0, len(frames), _CHUNK)]
    return np.concatenate([model.encode(torch.from_numpy(p).to(at)).cpu().numpy() for p in parts])


def _foreseen(
    model: WorldModel, episodes: Episodes, ids: Rows
) -> Iterator[tuple[Image, FloatArray, FloatArray, FloatArray]]:
    """Of each episode frames (T, h, w, 3), embeddings (T, D), the errors (T - K*L, D) of
    predicting each from what came before it at the tick's own pace, and how hard the actions of
    the last K ticks before it pushed (T - K*L,), a mean square.
    """
    block = model.config.action_block
    least = model.config.memory_frames
    for episode in episodes.some(ids, _HELD_OUT_EPISODES, least).tolist():
        frames = episodes.pixels[episodes.row_numbers([episode])]
        embeddings = _encode(model, frames)
        actions = episodes.action[episodes.rows(episode)][:-1]
        errors = prediction_errors(model, embeddings, actions)
        pushes = np.convolve(np.square(actions).mean(1), np.full(block, 1 / block), "valid")
        yield frames, embeddings, errors, pushes[len(pushes) - len(errors) :]


@torch.no_grad()
def prediction_errors(model: WorldModel, embeddings: FloatArray, actions: FloatArray) -> FloatArray:
    """Of one episode, embeddings (T, D) and actions (T-1, A): the errors (T - K*L, D) of
    predicting each frame from the L frames before it, K ticks apart; the first is of frame K*L.
    """
    block, context = model.config.action_block, model.context
    ticks = block * context
    starts = np.arange(max(0, len(embeddings) - ticks))
    if not len(starts):
        return np.zeros((0, embeddings.shape[1]), np.float32)
    seen = embeddings[starts[:, None] + block * np.arange(context)]
    sent = actions[starts[:, None] + np.arange(ticks)].reshape(len(starts), context, -1)
    at = model.goal_metric.device
    ahead = model.predictor(torch.from_numpy(seen).to(at), torch.from_numpy(sent).to(at))
    errors: FloatArray = embeddings[ticks:] - ahead.cpu().numpy()
    return errors


def _running_means(errors: FloatArray) -> Iterator[Array]:
    """What the controller's estimate of drift would be after each of the errors."""
    drift: Array = np.zeros(errors.shape[1:])
    for error in errors:
        drift = drift + DRIFT_GAIN * (error - drift)
        yield drift


def _repeated(frames: Image) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """(T,): the same picture as the one before."""
    same = (frames[1:] == frames[:-1]).reshape(len(frames) - 1, -1).all(1)
    return np.concatenate([[False], same])
