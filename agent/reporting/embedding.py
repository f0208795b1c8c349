"""Many frames through the encoder, a few at a time, and distances between what comes out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import torch
from torch import Tensor

from agent.interfaces import Image
from agent.model.world_model import WorldModel

BATCH_FRAMES = 256


@torch.no_grad()
def embed(model: WorldModel, frames: Iterable[Image]) -> Tensor:
    """Embeddings (N, D) of frames uint8 (h, w, 3); never more than a batch of them in memory."""
    model.eval()
    batches = [model.encode(torch.from_numpy(batch)) for batch in _batches(frames)]
    return torch.cat(batches) if batches else torch.empty(0, model.latent_dim)


@torch.no_grad()
def apart(model: WorldModel, embeddings: Tensor, others: Tensor) -> Tensor:
    """The planner's distances (N, O), of ``embeddings`` (N, D) to ``others`` (O, D)."""
    return torch.cdist(model.measured(embeddings), model.measured(others))


def _batches(frames: Iterable[Image]) -> Iterator[Image]:
    batch: list[Image] = []
    for frame in frames:
        batch.append(frame)
        if len(batch) == BATCH_FRAMES:
            yield np.stack(batch)
            batch = []
    if batch:
        yield np.stack(batch)
