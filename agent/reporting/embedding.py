"""Many frames through the encoder, a few at a time, and distances between what comes out."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

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
    coming, found = iter(frames), [torch.empty(0, model.latent_dim)]
    while batch := list(islice(coming, BATCH_FRAMES)):
        found.append(model.encode(torch.from_numpy(np.stack(batch))))
    return torch.cat(found)


@torch.no_grad()
def apart(model: WorldModel, embeddings: Tensor, others: Tensor) -> Tensor:
    """The planner's distances (N, O), of ``embeddings`` (N, D) to ``others`` (O, D)."""
    return torch.cdist(model.measured(embeddings), model.measured(others))
