"""The coordinates in which travelling time is measured, as a curved function of the embedding.

The eigenfunctions φ_i of diffusion, whose differences over the root of their rates are commute time
(:mod:`agent.model.metric`), are functions on the *world*. A linear map of an embedding holds them
only as far as the embedding lies flat, and an embedding of a plane in many Gaussian directions is
curled. One hidden layer unrolls it:

    φ(z) = A z + B tanh(C z + c)

It is fitted after the model by :mod:`agent.training.slow_features`; scaled so that ‖φ(z) − φ(g)‖²
is commute time.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class SlowFeatures(nn.Module):
    """Embeddings (..., D) to ``width`` slow features; before it is fitted, linear ones."""

    def __init__(self, latent_dim: int, hidden: int, width: int) -> None:
        super().__init__()
        self.straight = nn.Linear(latent_dim, width, bias=False)
        self.bent = nn.Linear(latent_dim, hidden)
        self.out = nn.Linear(hidden, width, bias=False)
        nn.init.zeros_(self.out.weight)

    def forward(self, embeddings: Tensor) -> Tensor:
        """(..., W) of embeddings (..., D)."""
        features: Tensor = self.straight(embeddings) + self.out(torch.tanh(self.bent(embeddings)))
        return features

    def combined(self, matrix: Tensor) -> SlowFeatures:
        """These features (W) times ``matrix`` (W, V), as V features."""
        hidden, latent_dim = self.bent.weight.shape
        made = SlowFeatures(latent_dim, hidden, matrix.shape[1])
        with torch.no_grad():
            made.straight.weight.copy_(matrix.T @ self.straight.weight)
            made.out.weight.copy_(matrix.T @ self.out.weight)
            made.bent.load_state_dict(self.bent.state_dict())
        return made
