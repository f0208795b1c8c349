"""How much of the arm's state a straight line reads from an embedding.

A probe is least squares with a constant, fitted on one sample of a distribution and scored on
another sample of the *same* distribution: a probe scored elsewhere measures the shift as well.
Angles are given three ways, since a joint turned by 2π looks the same: ``raw``, ``wrapped`` into
[−π, π), and as sine and cosine.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.errors import UserError
from agent.interfaces import Array
from agent.training.diagnostics import fit_probe, probe_r2, varies
from envs.reacher import wrap_angle
from studies.poses import Indices

_COLLAPSED = 1e-12
Split = tuple[NDArray[np.floating], NDArray[np.floating]]
"""Two samples of one quantity: to fit on, and to score on."""


def held_out_r2(features: Split, targets: Split) -> Array:
    """R² of each target, from ``features`` (N, D) and ``targets`` (N, k), each a :data:`Split`.

    Raises:
        UserError: if lengths differ, a number is not finite, a target never varies, or there are
            too few samples.
    """
    for known, wanted in zip(features, targets, strict=True):
        if len(known) != len(wanted):
            raise UserError(
                f"expected as many targets as features, got {len(wanted)}, {len(known)}"
            )
        if len(known) <= known.shape[1] + 1:
            raise UserError(
                f"expected more than {known.shape[1] + 1} samples for {known.shape[1]} features, "
                f"got {len(known)}"
            )
        if not (np.isfinite(known).all() and np.isfinite(wanted).all()):
            raise UserError("expected finite features and targets, got NaN or infinity")
        if not varies(wanted).all():
            raise UserError(
                f"expected targets that vary, got a constant column {varies(wanted).argmin()}: "
                "there is no R² of it, leave it out"
            )
    probe = fit_probe(features[0], np.asarray(targets[0], np.float64))
    return probe_r2(probe, features[1], np.asarray(targets[1], np.float64))


def angle_r2(features: Split, angles_rad: Split) -> dict[str, float | list[float]]:
    """R² of joint angles (N, 2): means over joints, and each joint's raw and wrapped."""
    raw = held_out_r2(features, angles_rad)
    wrapped = held_out_r2(features, _both(wrap_angle, angles_rad))
    sines = held_out_r2(features, _both(sines_and_cosines, angles_rad))
    return {
        "r2_raw": float(raw.mean()),
        "r2_wrapped": float(wrapped.mean()),
        "r2_sincos": float(sines.mean()),
        "r2_raw_by_joint": raw.tolist(),
        "r2_wrapped_by_joint": wrapped.tolist(),
        "r2_sincos_by_target": sines.tolist(),
    }


def sines_and_cosines(angles_rad: NDArray[np.floating]) -> Array:
    """(N, 2) angles to (N, 4): both sines, then both cosines."""
    return np.concatenate([np.sin(angles_rad), np.cos(angles_rad)], axis=1).astype(np.float64)


def scaled_orthogonality_error(latents: Array, embeddings: Array) -> float:
    """How far the linear map latents → embeddings is from a rotation, up to scale.

    ‖WᵀW / s − I‖_F / √k with W (D, k) least squares on centred, unit-variance latents (N, k) and
    s the mean of WᵀW's diagonal: 0 if all latents keep their right angles and are stretched alike.
    Unlike :func:`studies.metrics.orthogonality_error` it allows D > k, where even a
    perfect embedding must share its unit variances between latents and other features.
    """
    unit = (latents - latents.mean(0)) / latents.std(0)
    centred = embeddings - embeddings.mean(0)
    to_embedding = np.linalg.lstsq(unit, centred, rcond=None)[0]  # (k, D), W transposed
    gram = to_embedding @ to_embedding.T
    scale = float(np.trace(gram)) / len(gram)
    if scale <= _COLLAPSED:
        return 1.0  # no length is kept: ‖0 − I‖ / √k
    bent = np.linalg.norm(gram / scale - np.eye(len(gram)))
    return float(bent / np.sqrt(len(gram)))


def white_step(values: NDArray[np.floating], pairs: tuple[Indices, Indices]) -> float:
    """Mean square of the step between ``pairs`` of rows of ``values`` (N, D), once white.

    Per output: what whitening and alignment together make small. 2(1 − ρ) for one that is
    correlated by ρ from row to row; a direction that hardly varies counts for nothing.
    """
    centred = np.asarray(values, np.float64) - values.mean(0)
    _, sizes, directions = np.linalg.svd(centred, full_matrices=False)
    kept = sizes > _COLLAPSED + 1e-6 * sizes[0]
    white = centred @ (directions[kept] / sizes[kept, None]).T * np.sqrt(len(centred))
    here, there = pairs
    return float(np.square(white[there] - white[here]).mean())


def _both(change: Callable[[Any], Array], split: Split) -> Split:
    return change(split[0]), change(split[1])
