"""What an encoder of pairs can be asked for. All keep embeddings of a pair near one another.

``lejepa``    alignment + λ·SIGReg, the world model's own (Balestriero & LeCun 2025,
              arXiv:2511.08544)
``whitening`` alignment of batch-whitened embeddings (Ermolov et al. 2021, arXiv:2007.06346): what
              VICReg asks for, as a constraint
``vicreg``    alignment + λ·(variance and covariance terms) (Bardes et al. 2022, arXiv:2105.04906)
``subspaces`` alignment + λ·SIGReg in random planes that are drawn once and kept, as Sub-JEPA
              (arXiv:2605.09241) relaxes it: beyond those planes any law will do
``infonce``   each embedding finds its partner among the batch's (van den Oord et al. 2018,
              arXiv:1807.03748); the score is a Gaussian kernel, as in Zimmermann et al. 2021,
              arXiv:2102.08850

All stay the same when the embedding is rotated, but for ``vicreg``, which knows the axes, and
``subspaces``, which knows its planes; where they have reached what they ask for, so do these. It is
why a rotation stays open.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor
from torch.nn import functional as F

from agent.errors import UserError
from agent.model.sigreg import SIGReg
from agent.training.regularisers import vicreg

OBJECTIVES = ("lejepa", "whitening", "infonce", "vicreg", "subspaces")
PLANES = 8
RIDGE = 1e-6  # keeps the factor of a singular covariance real


@dataclass(frozen=True)
class Objective:
    """A loss of the embeddings of a batch of pairs.

    ``weight`` is λ. SIGReg grows with the number of embeddings in a batch, so a λ belongs to a
    batch size. Its ``directions`` are redrawn at each call. ``relative``: the logarithm of the
    alignment takes its place, so that λ is in units of the alignment that is still left. That is
    2(1−ρ) at best, from 1.4 to 0.02 in our studies, and with a λ that does not follow it one of the
    two terms does nothing.
    """

    kind: str = "lejepa"
    weight: float = 1e-2
    directions: int = 4
    relative: bool = False

    def __post_init__(self) -> None:
        if self.kind not in _LOSSES:
            raise UserError(f"expected an objective of {', '.join(_LOSSES)}, got {self.kind!r}")

    def loss(self, first: Tensor, second: Tensor, generator: torch.Generator) -> Tensor:
        """Embeddings (pairs, D) of both members of each pair → a scalar."""
        return _LOSSES[self.kind](self, first, second, generator)


def _lejepa(asked: Objective, first: Tensor, second: Tensor, generator: torch.Generator) -> Tensor:
    both = torch.cat([first, second])
    statistic: Tensor = SIGReg(asked.directions)(both, generator)
    return _alignment(asked, first, second) + asked.weight * statistic


def _subspaces(
    asked: Objective, first: Tensor, second: Tensor, generator: torch.Generator
) -> Tensor:
    both = torch.cat([first, second])
    sigreg = SIGReg(max(1, asked.directions // PLANES))
    parts = [sigreg(both @ plane, generator) for plane in _planes(both.shape[1])]
    return _alignment(asked, first, second) + asked.weight * torch.stack(parts).mean()


@cache
def _planes(dim: int) -> Tensor:
    """Orthonormal frames (PLANES, dim, 2) of random planes, the same at every call."""
    drawn = torch.randn((PLANES, dim, 2), generator=torch.Generator().manual_seed(dim))
    return torch.linalg.qr(drawn).Q


def _vicreg(asked: Objective, first: Tensor, second: Tensor, generator: torch.Generator) -> Tensor:
    regulariser = vicreg(torch.stack([first, second]))
    return _alignment(asked, first, second) + asked.weight * regulariser


def _whitening(
    asked: Objective, first: Tensor, second: Tensor, generator: torch.Generator
) -> Tensor:
    white = whitened(torch.cat([first, second]))
    return _alignment(asked, white[: len(first)], white[len(first) :])


def whitened(embeddings: Tensor) -> Tensor:
    """Centred ``embeddings`` (N, D) with the identity for covariance.

    Where one of them lies so far out that single precision has no digits left for the others, as
    of laws with heavy tails, it is computed in double precision.
    """
    centred = embeddings - embeddings.mean(0)
    covariance = centred.T @ centred / len(centred) + RIDGE * torch.eye(centred.shape[1])
    is_double = embeddings.dtype == torch.float64
    factor, failed = torch.linalg.cholesky_ex(covariance, check_errors=is_double)
    if failed:
        return whitened(embeddings.double()).to(embeddings.dtype)
    return torch.linalg.solve_triangular(factor, centred.T, upper=False).T


def _infonce(asked: Objective, first: Tensor, second: Tensor, generator: torch.Generator) -> Tensor:
    scores = -(torch.cdist(first, second) ** 2) / 2
    return F.cross_entropy(scores, torch.arange(len(first)))


def _alignment(asked: Objective, first: Tensor, second: Tensor) -> Tensor:
    left = (second - first).square().sum(1).mean()
    return left.log() if asked.relative else left


_LOSSES: dict[str, Callable[[Objective, Tensor, Tensor, torch.Generator], Tensor]] = {
    "lejepa": _lejepa,
    "whitening": _whitening,
    "infonce": _infonce,
    "vicreg": _vicreg,
    "subspaces": _subspaces,
}
assert tuple(_LOSSES) == OBJECTIVES
