"""What an encoder of pairs can be asked for. All keep embeddings of a pair near one another.

``lejepa``    alignment + λ·SIGReg, the world model's own (Balestriero & LeCun 2025,
              arXiv:2511.08544)
``whitening`` alignment of batch-whitened embeddings (Ermolov et al. 2021, arXiv:2007.06346): what
              VICReg (Bardes et al. 2022, arXiv:2105.04906) asks for, as a constraint
``infonce``   each embedding finds its partner among the batch's (van den Oord et al. 2018,
              arXiv:1807.03748); the score is a Gaussian kernel, as in Zimmermann et al. 2021,
              arXiv:2102.08850

All three stay the same when the embedding is rotated, which is why a rotation stays open.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from agent.model.sigreg import SIGReg

OBJECTIVES = ("lejepa", "whitening", "infonce")
RIDGE = 1e-6  # keeps the factor of a singular covariance real


@dataclass(frozen=True)
class Objective:
    """A loss of the embeddings of a batch of pairs.

    ``weight`` is λ. SIGReg grows with the number of embeddings in a batch, so a λ belongs to a
    batch size. Its ``directions`` are redrawn at each call.
    """

    kind: str = "lejepa"
    weight: float = 1e-2
    directions: int = 4

    def loss(self, first: Tensor, second: Tensor, generator: torch.Generator) -> Tensor:
        """Embeddings (pairs, D) of both members of each pair → a scalar."""
        return _LOSSES[self.kind](self, first, second, generator)


def _lejepa(asked: Objective, first: Tensor, second: Tensor, generator: torch.Generator) -> Tensor:
    both = torch.cat([first, second])
    statistic: Tensor = SIGReg(asked.directions)(both, generator)
    return _alignment(first, second) + asked.weight * statistic


def _whitening(
    asked: Objective, first: Tensor, second: Tensor, generator: torch.Generator
) -> Tensor:
    both = torch.cat([first, second])
    both = both - both.mean(0)
    covariance = both.T @ both / len(both) + RIDGE * torch.eye(both.shape[1])
    factor = torch.linalg.cholesky(covariance)
    white = torch.linalg.solve_triangular(factor, both.T, upper=False).T
    return _alignment(white[: len(first)], white[len(first) :])


def _infonce(asked: Objective, first: Tensor, second: Tensor, generator: torch.Generator) -> Tensor:
    scores = -(torch.cdist(first, second) ** 2) / 2
    return F.cross_entropy(scores, torch.arange(len(first)))


def _alignment(first: Tensor, second: Tensor) -> Tensor:
    return (second - first).square().sum(1).mean()


_LOSSES: dict[str, Callable[[Objective, Tensor, Tensor, torch.Generator], Tensor]] = {
    "lejepa": _lejepa,
    "whitening": _whitening,
    "infonce": _infonce,
}
assert tuple(_LOSSES) == OBJECTIVES
