"""What the model has learned, measured on held-out episodes.

States are used here to *measure* and never to train: the probe is a least-squares fit from
embeddings to the world's own coordinates, fitted on training episodes and scored on held-out ones.
Where no state is known there is no probe.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from agent.data.episodes import Episodes, Rows
from agent.errors import UserError
from agent.interfaces import Array
from agent.model.sigreg import GAUSSIAN, SIGReg
from agent.model.world_model import WorldModel
from envs import WorldSpec

HORIZON_STEPS = 10
_START_STRIDE = 7
_NO_VARIANCE = 1e-10
_ROWS, _LEAST_ROWS = 512, 64  # of SIGReg's statistic, and at least asked for
_STILL, _STILL_SHARE = 1e-9, 1e-6  # standard deviation; the second of the largest magnitude


@dataclass(frozen=True)
class Diagnostics:
    """One look at the model.

    ``effective_rank``: exponential of the entropy of the embedding covariance's normalised
    eigenvalues (Roy & Vetterli 2007), between 1 and D, of held-out frames, or of these and those
    learned from where they say more: a recording may stand still. ``sigreg``: the statistic of
    frames far apart, as it would be of 512 independent ones; 1.05 for a Gaussian (of 512 frames of
    fifteen episodes, which resemble one another, it is some ten for Gaussian motion).
    ``probe_r2``: per target. ``open_loop_error``: mean squared error after 1..10 model steps as a
    share of the variance (1 = no better than the mean), or as many as fit in the shortest episode;
    ``open_loop_probe_r2``: the probe on the last of the embeddings so predicted. What does not vary
    has no score and is named in ``unscored``.
    """

    effective_rank: float
    sigreg: float
    probe_r2: dict[str, float]
    open_loop_error: tuple[float, ...]
    open_loop_probe_r2: dict[str, float]
    unscored: tuple[str, ...] = ()


def diagnose(
    model: WorldModel,
    episodes: Episodes,
    train: Sequence[int] | Rows,
    held_out: Sequence[int] | Rows,
    apart: Sequence[int] | Rows = (),
) -> Diagnostics:
    """Measure ``model`` in evaluation mode, and leave it in the mode it was in.

    ``sigreg`` is of frames of the episodes ``apart``, by default of the others.
    """
    was_training = model.training
    model.eval()
    with torch.no_grad():
        sigreg = _sigreg(model, episodes, apart if len(apart) else [*train, *held_out])
        result = _diagnose(model, episodes, list(train), list(held_out), sigreg)
    model.train(was_training)
    return result


def embed_episodes(
    model: WorldModel, episodes: Episodes, ids: Sequence[int] | Rows
) -> list[NDArray[np.float32]]:
    """Embeddings (T, D) of each episode's frames."""
    at = model.goal_metric.device
    with torch.no_grad():
        frames = (torch.from_numpy(episodes.pixels[episodes.row_numbers([i])]) for i in ids)
        return [model.encode(episode.to(at)).cpu().numpy() for episode in frames]


def _diagnose(
    model: WorldModel, episodes: Episodes, train: list[int], held_out: list[int], sigreg: float
) -> Diagnostics:
    targets = ProbeTargets(_spec_told(model, episodes))
    known = np.concatenate(embed_episodes(model, episodes, train))
    probe = fit_probe(known, targets.of(episodes, train))
    embeddings = embed_episodes(model, episodes, held_out)
    flat = np.concatenate(embeddings)
    ahead = _open_loop(model, episodes, held_out, embeddings)
    last = targets.values(episodes.state[ahead.last_rows])
    every = np.concatenate([known, flat])
    missed = np.square(ahead.predicted - ahead.actual).mean((0, 2))
    scores = targets.named(probe_r2(probe, flat, targets.of(episodes, held_out)))
    return Diagnostics(
        effective_rank=max(map(effective_rank, (flat, every))),
        sigreg=sigreg,
        probe_r2=scores,
        open_loop_error=tuple((missed / max(float(every.var(0).mean()), _NO_VARIANCE)).tolist()),
        open_loop_probe_r2=targets.named(probe_r2(probe, ahead.predicted[:, -1], last)),
        unscored=tuple(name for name in targets.names if name not in scores),
    )


def _spec_told(model: WorldModel, episodes: Episodes) -> WorldSpec:
    """What the states recorded here mean; a model of a world that tells some may learn without."""
    told = episodes.state.shape[1] == len(model.spec.state)
    return model.spec if told else dataclasses.replace(model.spec, state=())


def _sigreg(model: WorldModel, episodes: Episodes, ids: Sequence[int] | Rows) -> float:
    """Of two frames an episode, or as many more as make ``_LEAST_ROWS``."""
    each = max(2, -(-_LEAST_ROWS // len(ids)))
    chosen = np.linspace(0, len(ids) - 1, min(len(ids), _ROWS // each)).astype(int)
    spans = [episodes.rows(int(ids[number])) for number in chosen]
    middles = [np.linspace(s.start, s.stop - 1, 2 * each + 1).astype(int)[1::2] for s in spans]
    frames = episodes.pixels[np.unique(np.concatenate(middles))]
    found = model.encode(torch.from_numpy(frames).to(model.goal_metric.device)).cpu()
    statistic = float(SIGReg(256)(found, torch.Generator().manual_seed(0)))
    return GAUSSIAN + (statistic - GAUSSIAN) * _ROWS / len(frames)


class ProbeTargets:
    """The coordinates of a world that a probe looks for: those a goal is about, else all.

    What comes round is looked for as its sine and cosine.
    """

    def __init__(self, spec: WorldSpec) -> None:
        chosen = spec.goal_columns or tuple(range(len(spec.state)))
        columns = [(index, spec.state[index]) for index in chosen]
        self._round = [i for i, column in columns if math.isfinite(column.period)]
        self._straight = [i for i, column in columns if not math.isfinite(column.period)]
        self._scale = np.array([2 * np.pi / spec.state[i].period for i in self._round])
        around = [spec.state[i].name for i in self._round]
        self.names = (
            *(f"sin {name}" for name in around),
            *(f"cos {name}" for name in around),
            *(spec.state[i].name for i in self._straight),
        )

    def values(self, states: Array) -> Array:
        """Of states (N, S): the targets (N, P)."""
        angles = states[:, self._round] * self._scale
        return np.column_stack([np.sin(angles), np.cos(angles), states[:, self._straight]])

    def of(self, episodes: Episodes, ids: Sequence[int]) -> Array:
        """Targets (N, P) of every frame of some episodes."""
        return self.values(np.concatenate([episodes.state[episodes.rows(i)] for i in ids]))

    def named(self, scores: Array) -> dict[str, float]:
        """Scores (P,) by name; those that are not a number are left out."""
        pairs = zip(self.names, scores.tolist(), strict=True)
        return {name: score for name, score in pairs if math.isfinite(score)}


def effective_rank(embeddings: NDArray[np.floating]) -> float:
    """Exponential of the spectral entropy of the covariance of ``embeddings`` (N, D).

    Between 1 and D; 1 also where nothing varies at all.
    """
    spectrum = np.linalg.eigvalsh(np.atleast_2d(np.cov(embeddings, rowvar=False)))
    if spectrum.max() < _NO_VARIANCE:
        return 1.0
    share = (spectrum / spectrum.sum()).clip(1e-12)
    return float(np.exp(-(share * np.log(share)).sum()))


def fit_probe(
    embeddings: NDArray[np.floating], targets: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Least-squares map (D+1, targets) with a constant."""
    solution = np.linalg.lstsq(_with_one(embeddings), targets, rcond=None)[0]
    return np.asarray(solution, dtype=np.float64)


def probe_r2(
    probe: NDArray[np.float64], embeddings: NDArray[np.floating], targets: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Coefficient of determination of each target (targets,); NaN where it does not vary."""
    residual = targets - _with_one(embeddings) @ probe
    total = ((targets - targets.mean(0)) ** 2).sum(0)
    known = np.where(varies(targets), total, np.nan)
    score: NDArray[np.float64] = 1 - (residual**2).sum(0) / known
    return score


def varies(columns: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Which of the columns of (N, P) change by more than rounding does (P,)."""
    least = np.maximum(_STILL, _STILL_SHARE * np.abs(columns).max(0))
    return np.asarray(columns.std(0) > least)


def _with_one(embeddings: NDArray[np.floating]) -> NDArray[np.float64]:
    return np.column_stack([embeddings.astype(np.float64), np.ones(len(embeddings))])


class _Ahead(NamedTuple):
    """Predicted and true embeddings (starts, H, D), and the rows (starts,) of the last of them."""

    predicted: NDArray[np.float32]
    actual: NDArray[np.float32]
    last_rows: Rows


def _open_loop(
    model: WorldModel,
    episodes: Episodes,
    ids: Sequence[int],
    embeddings: Sequence[NDArray[np.float32]],
) -> _Ahead:
    stride, context = model.config.action_block, model.context
    least = model.config.memory_frames
    usable = [(i, z) for i, z in zip(ids, embeddings, strict=True) if len(z) >= least]
    if not usable:
        raise UserError(f"expected held-out episodes of {least} frames or more, got none")
    shortest = min(len(z) for _, z in usable)
    frames = min(context + HORIZON_STEPS, (shortest - 1) // stride + 1)
    span = (frames - 1) * stride
    contexts, actions, futures, rows = [], [], [], []
    for episode, z in usable:
        sent = episodes.action[episodes.rows(episode)]
        for start in range(0, len(z) - span, _START_STRIDE):
            seen = z[start : start + span + 1 : stride]
            contexts.append(seen[:context])
            futures.append(seen[context:])
            actions.append(sent[start : start + span].reshape(frames - 1, -1))
            rows.append(episodes.rows(episode).start + start + span)
    at = model.goal_metric.device
    blocks = torch.from_numpy(np.stack(actions)).to(at)
    predicted = model.ahead(torch.from_numpy(np.stack(contexts)).to(at), blocks)
    return _Ahead(predicted.cpu().numpy(), np.stack(futures), np.array(rows))
