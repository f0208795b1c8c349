"""What the model has learned, measured on held-out episodes.

States are used here to *measure* and never to train: the probe is a least-squares fit from
embeddings to sines and cosines of the joints, fitted on training episodes and scored on held-out
ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from agent.data.episodes import Episodes, Rows
from agent.interfaces import Image
from agent.model.sigreg import SIGReg
from agent.model.world_model import WorldModel

PROBE_TARGETS = ("sin shoulder", "sin wrist", "cos shoulder", "cos wrist")
HORIZON_STEPS = 10
_START_STRIDE = 7
_NO_VARIANCE = 1e-10


@dataclass(frozen=True)
class Diagnostics:
    """One look at the model.

    ``effective_rank``: exponential of the entropy of the embedding covariance's normalised
    eigenvalues (Roy & Vetterli 2007), between 1 and D. ``sigreg``: the statistic on 512
    held-out embeddings, 1.05 for perfect Gaussians. ``probe_r2``: per target.
    ``open_loop_error``: mean squared error after 1..10 model steps (1 = no better than the
    mean), or as many as fit in an episode; ``open_loop_probe_r2``: the probe on the last of the
    embeddings so predicted.
    """

    effective_rank: float
    sigreg: float
    probe_r2: dict[str, float]
    open_loop_error: tuple[float, ...]
    open_loop_probe_r2: dict[str, float]


def diagnose(
    model: WorldModel,
    episodes: Episodes,
    train: Sequence[int] | Rows,
    held_out: Sequence[int] | Rows,
) -> Diagnostics:
    """Measure ``model`` in evaluation mode, and leave it in the mode it was in."""
    was_training = model.training
    model.eval()
    with torch.no_grad():
        result = _diagnose(model, episodes, list(train), list(held_out))
    model.train(was_training)
    return result


def embed_episodes(
    model: WorldModel, episodes: Episodes, ids: Sequence[int] | Rows
) -> list[NDArray[np.float32]]:
    """Embeddings (T, D) of each episode's frames."""
    at = model.goal_metric.device
    with torch.no_grad():
        frames = (torch.from_numpy(_frames(episodes, int(i))) for i in ids)
        return [model.encode(episode.to(at)).cpu().numpy() for episode in frames]


def _frames(episodes: Episodes, episode: int) -> Image:
    rows = episodes.rows(episode)  # as numbers: pixels left on disk take no slice
    return episodes.pixels[np.arange(rows.start, rows.stop)]


def _diagnose(
    model: WorldModel, episodes: Episodes, train: list[int], held_out: list[int]
) -> Diagnostics:
    known = np.concatenate(embed_episodes(model, episodes, train))
    probe = fit_probe(known, _targets(episodes, train))
    embeddings = embed_episodes(model, episodes, held_out)
    flat = np.concatenate(embeddings)
    predicted, actual, angles = _open_loop(model, episodes, held_out, embeddings)
    sample = torch.from_numpy(np.random.default_rng(0).choice(flat, min(512, len(flat)), False))
    return Diagnostics(
        effective_rank=effective_rank(flat),
        sigreg=float(SIGReg(256)(sample, torch.Generator().manual_seed(0))),
        probe_r2=_named(probe_r2(probe, flat, _targets(episodes, held_out))),
        open_loop_error=tuple(((predicted - actual) ** 2).mean((0, 2)).tolist()),
        open_loop_probe_r2=_named(probe_r2(probe, predicted[:, -1], angles)),
    )


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
    """Coefficient of determination of each target (targets,)."""
    residual = targets - _with_one(embeddings) @ probe
    total = ((targets - targets.mean(0)) ** 2).sum(0)
    score: NDArray[np.float64] = 1 - (residual**2).sum(0) / np.maximum(total, 1e-12)
    return score


def _with_one(embeddings: NDArray[np.floating]) -> NDArray[np.float64]:
    return np.column_stack([embeddings.astype(np.float64), np.ones(len(embeddings))])


def _targets(episodes: Episodes, ids: Sequence[int]) -> NDArray[np.float64]:
    joints = np.concatenate([episodes.qpos[episodes.rows(i)] for i in ids])
    return np.column_stack([np.sin(joints), np.cos(joints)])


def _named(values: NDArray[np.float64]) -> dict[str, float]:
    return dict(zip(PROBE_TARGETS, values.tolist(), strict=True))


def _open_loop(
    model: WorldModel,
    episodes: Episodes,
    ids: Sequence[int],
    embeddings: Sequence[NDArray[np.float32]],
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float64]]:
    """Predicted and true embeddings (starts, H, D), and sin/cos of the joints at the end."""
    stride, context = model.config.action_block, model.context
    shortest = min(len(z) for z in embeddings)
    frames = min(context + HORIZON_STEPS, (shortest - 1) // stride + 1)
    span = (frames - 1) * stride
    contexts, actions, futures, angles = [], [], [], []
    for episode, z in zip(ids, embeddings, strict=True):
        torques = episodes.action[episodes.rows(episode)]
        joints = episodes.qpos[episodes.rows(episode)]
        for start in range(0, len(z) - span, _START_STRIDE):
            seen = z[start : start + span + 1 : stride]
            contexts.append(seen[:context])
            futures.append(seen[context:])
            actions.append(torques[start : start + span].reshape(frames - 1, -1))
            last = joints[start + span]
            angles.append(np.concatenate([np.sin(last), np.cos(last)]))
    at = model.goal_metric.device
    torque_blocks = torch.from_numpy(np.stack(actions)).to(at)
    predicted: Tensor = model.rollout(
        torch.from_numpy(np.stack(contexts)).to(at),
        torque_blocks[:, : context - 1],
        torque_blocks[:, None, context - 1 :],
    )[:, 0]
    return predicted.cpu().numpy(), np.stack(futures), np.stack(angles)
