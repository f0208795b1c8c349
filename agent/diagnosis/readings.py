"""What a line reads of a world's coordinates: in an embedding, and where distances are measured.

A controller never compares embeddings as they are but in the coordinates of its distance
(:meth:`agent.model.world_model.WorldModel.measured`), which were learned without states, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from agent.diagnosis.verdict import Finding, graded
from agent.interfaces import Array
from agent.model.world_model import WorldModel
from agent.training.diagnostics import ProbeTargets, fit_probe, probe_r2
from envs import WorldSpec


@dataclass(frozen=True)
class Readings:
    """R² by coordinate, fitted on every other episode and scored on the rest; a circle's sine and
    cosine count as one each, and what does not vary is left out.
    """

    embedding: Mapping[str, float]
    measured: Mapping[str, float]


@torch.no_grad()
def readings(
    model: WorldModel, spec: WorldSpec, states: Sequence[Array], embeddings: Sequence[Array]
) -> Readings | None:
    """From states (T, S) of ``spec`` and embeddings (T, D) of episodes; None without either."""
    if not spec.state or len(states) < 2:
        return None
    targets = ProbeTargets(spec)
    known, others = (targets.values(np.concatenate(states[part::2])) for part in range(2))

    def scored(inputs: Sequence[Array]) -> dict[str, float]:
        probe = fit_probe(np.concatenate(inputs[::2]), known)
        return targets.named(probe_r2(probe, np.concatenate(inputs[1::2]), others))

    def measured(z: Array) -> Array:
        found = model.measured(torch.as_tensor(z).to(model.goal_metric))
        return found.cpu().double().numpy()

    found = Readings(scored(embeddings), scored([measured(z) for z in embeddings]))
    return found if found.embedding else None


def of_readings(found: Readings) -> Finding:
    """The line to read."""
    worst = min((*found.embedding.values(), *found.measured.values()))
    return Finding(
        "Are its coordinates read off by a line?", "R² on the episodes the line was not fitted to",
        graded(1 - worst, 0.02, 0.2),
        f"at worst {_least(found.embedding)} from the embedding, {_least(found.measured)} where "
        "distances are measured", None,
        "What a line does not see is bent or missing; goals that differ in it look alike.",
        "Record motion that reaches every value of it (collect --behaviour restless), or give the "
        "encoder more (--model.encoder.latent-dim, --image-size of the recordings).",
    )  # fmt: skip


def _least(scores: Mapping[str, float]) -> str:
    name = min(scores, key=lambda one: scores[one])
    return f"{scores[name]:.4f} ({name})"
