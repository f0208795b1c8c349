"""What may keep a world model's embedding from collapsing, beside what ``train`` offers.

All are asked of the embeddings (B, T, D) of a batch, as one sample; SIGReg looks

    everywhere    along any direction (LeJEPA)
    subspaces     along directions within random subspaces of four dimensions only
                  (as Sub-JEPA, arXiv:2605.09241)
    block         at the first outputs alone, as many as the world has coordinates; others are free
    projector     at what a small network makes of them, which is thrown away afterwards
    behind        there as well, and predictions are compared there, too, as LeJEPA does with
                  images (Balestriero & LeCun 2025, arXiv:2511.08544)

With ``projector`` predictions stay those of the embedding; with ``behind`` they become so when the
encoder rests, since a planner needs them there.

``vicreg`` and ``whitening`` know no Gaussian: the one wants variances of at least 1 and no
correlation, the other exactly the identity as covariance.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from agent.model.sigreg import SIGReg
from agent.model.world_model import WorldModel
from agent.training.objective import LossTerms, free_running, teacher_forced
from agent.training.regularisers import Regulariser, vicreg

SUBSPACE, DIRECTIONS = 4, 64
PROJECTOR_WIDTH, PROJECTOR_RATE = 128, 3e-3


def regulariser_named(name: str, latent_dim: int, coordinates: int, seed: int) -> Regulariser:
    """That regulariser for embeddings of ``latent_dim`` of a world of so many ``coordinates``."""
    draw = torch.Generator().manual_seed(seed)
    everywhere = SIGReg(DIRECTIONS)
    if name == "subspaces":
        return _Subspaces(everywhere, latent_dim, draw)
    if name in ("projector", "behind"):
        return Projected(everywhere, latent_dim, seed)
    if name == "block":
        return lambda z, generator: everywhere(z[..., :coordinates].flatten(0, 1), generator)
    plain: dict[str, Regulariser] = {
        "sigreg": lambda z, generator: everywhere(z.flatten(0, 1), generator),
        "none": lambda z, _: z.new_zeros(()),
        "vicreg": vicreg,
        "whitening": lambda z, _: off_identity(z.flatten(0, 1)),
    }
    return plain[name]


def off_identity(embeddings: Tensor) -> Tensor:
    """Squared distance of the covariance of ``embeddings`` (N, D) from the identity, over D."""
    identity = torch.eye(embeddings.shape[1])
    covariance = torch.cov(embeddings.T).reshape(identity.shape)
    distance: Tensor = (covariance - identity).square().sum() / len(identity)
    return distance


class _Subspaces:
    """The statistic within each of D / 4 random subspaces, a mean."""

    def __init__(self, statistic: SIGReg, latent_dim: int, draw: torch.Generator) -> None:
        size = min(SUBSPACE, latent_dim)
        drawn = torch.randn(max(1, latent_dim // size), latent_dim, size, generator=draw)
        self._bases = torch.linalg.qr(drawn).Q
        self._statistic = statistic

    def __call__(self, embeddings: Tensor, generator: torch.Generator | None) -> Tensor:
        flat = embeddings.flatten(0, 1)
        return torch.stack([self._statistic(flat @ q, generator) for q in self._bases]).mean()


class Projected:
    """The statistic of a projector's outputs; it takes its own step whenever it is asked again."""

    def __init__(self, statistic: SIGReg, latent_dim: int, seed: int) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self._network = nn.Sequential(
                nn.Linear(latent_dim, PROJECTOR_WIDTH),
                nn.BatchNorm1d(PROJECTOR_WIDTH),
                nn.SiLU(),
                nn.Linear(PROJECTOR_WIDTH, latent_dim),
                nn.BatchNorm1d(latent_dim, affine=False),
            )
        self._optimiser = torch.optim.AdamW(self._network.parameters(), PROJECTOR_RATE)
        self._statistic = statistic

    def __call__(self, embeddings: Tensor, generator: torch.Generator | None) -> Tensor:
        """Of embeddings (B, T, D), a scalar."""
        self._optimiser.step()  # on the gradients of the step before; none at first
        self._optimiser.zero_grad()
        found: Tensor = self._statistic(self.project(embeddings.flatten(0, 1)), generator)
        return found

    def project(self, embeddings: Tensor) -> Tensor:
        """The projector's outputs (N, D) of ``embeddings`` (N, D)."""
        found: Tensor = self._network(embeddings)
        return found


def loss_behind(
    model: WorldModel,
    regulariser: Projected,
    frames: Tensor,
    actions: Tensor,
    weight: float,
    generator: torch.Generator | None,
    multi_step: bool,
) -> LossTerms:
    """:func:`agent.training.objective.regularised_loss` behind the projector."""
    embeddings = model.encode(frames)
    statistic = regulariser(embeddings, generator)
    ahead = [teacher_forced(model, embeddings, actions), free_running(model, embeddings, actions)]
    both = [each.flatten(0, 1) for each in (embeddings[:, model.context :], *ahead)]
    there, one, several = regulariser.project(torch.cat(both)).chunk(3)
    one_step, multi = F.mse_loss(one, there), F.mse_loss(several, there)
    return LossTerms(one_step + multi + weight * statistic, one_step, multi, statistic)
