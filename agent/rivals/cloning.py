"""Goal-conditioned behaviour cloning: from frames and a goal image straight to an action.

No model, no planning: a network regresses the action that was sent on the way from one recorded
frame to a later one, which hindsight makes the goal (Ding et al. 2019, arXiv:1906.05838; Ghosh et
al. 2021, arXiv:1912.06088, Sec. 4). With goals shortly ahead it is an inverse dynamics model, with
goals up to seconds ahead a clone of whatever led there. Frames and data are the world model's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from agent.control.history import TickHistory
from agent.control.perception import embedded
from agent.files.bundle import bundle_sha256
from agent.interfaces import Decision, FloatArray, Goals, Image, Needs, Seen
from agent.model.encoder import ConvEncoder, EncoderConfig
from agent.rivals.policy_files import Policy, PolicyFiles
from envs import WorldSpec

GOAL_TICKS: Mapping[str, int] = {"inverse-dynamics": 8, "clone": 50}
"""How far ahead hindsight goals lie at most, by algorithm [env steps]."""


@dataclass(frozen=True)
class CloneConfig:
    """Sizes, and the world it was trained in.

    ``algorithm`` is a key of ``GOAL_TICKS``; the two frames the network reads beside the goal are
    ``stride`` control ticks apart, as far as those of the world model.
    """

    algorithm: str = "clone"
    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    width: int = 256
    stride: int = 2

    def __post_init__(self) -> None:
        if self.algorithm not in GOAL_TICKS:
            raise ValueError(f"expected algorithm of {sorted(GOAL_TICKS)}, got {self.algorithm!r}")
        for name in ("width", "stride"):
            if getattr(self, name) < 1:
                raise ValueError(f"expected {name} >= 1, got {getattr(self, name)}")


class Frames(NamedTuple):
    """What the network reads, uint8 (B, h, w, 3) each: a model step ago, now, and the goal."""

    before: Tensor
    now: Tensor
    goal: Tensor


class CloneNetwork(Policy):
    """One encoder for all three frames of a world of ``spec``, then a multilayer perceptron."""

    config: CloneConfig

    def __init__(self, config: CloneConfig, spec: WorldSpec) -> None:
        super().__init__()
        self.config, self.spec = config, spec
        self.encoder = ConvEncoder(config.encoder, spec.image_size)
        width, inputs = config.width, 3 * config.encoder.latent_dim
        self.head = nn.Sequential(
            nn.Linear(inputs, width), nn.LayerNorm(width), nn.SiLU(),
            nn.Linear(width, width), nn.LayerNorm(width), nn.SiLU(),
            nn.Linear(width, spec.action_dim),
        )  # fmt: skip

    def encode(self, frames: Image) -> FloatArray:
        """Embeddings (E, D) of frames uint8 (E, h, w, 3)."""
        embeddings: FloatArray = self.encoder(torch.from_numpy(frames)).numpy()
        return embeddings

    def forward(self, frames: Frames) -> Tensor:
        """Actions (B, A) in [-1, 1]."""
        embeddings = self.encoder(torch.cat(frames))  # (3 B, D)
        return self.actions(*embeddings.chunk(3))

    def actions(self, before: Tensor, now: Tensor, goal: Tensor) -> Tensor:
        """Actions (B, A) from embeddings (B, D) of the three frames."""
        return torch.tanh(self.head(torch.cat([now, now - before, goal], -1)))


CLONES = PolicyFiles(
    "lejepa-agent/clone/2",
    "clone",
    CloneConfig,
    CloneNetwork,
    advice="expected a cloned policy: give one made by `baseline --algorithm clone`",
)


class CloneController:
    """Acts with a cloned policy; sees pixels only."""

    def __init__(self, network: CloneNetwork, checkpoint_sha256: str | None = None) -> None:
        self._network = network.eval()
        self.name = network.config.algorithm
        self.needs = Needs(pixels=True, spec=network.spec)
        self.checkpoint_sha256 = checkpoint_sha256

    @classmethod
    def load(cls, directory: Path, algorithm: str) -> CloneController:
        """From a checkpoint; raises what ``CLONES.load`` does."""
        return cls(CLONES.load(directory, algorithm), bundle_sha256(directory))

    @torch.no_grad()
    def reset(self, goals: Goals, seeds: Sequence[int]) -> None:
        """Embed the goals and forget the past; nothing is random.

        UserError if frames are not of the size it was trained on.
        """
        self._history = TickHistory(2, self._network.config.stride, self._network.spec.action_dim)
        self._goals = embedded(self._network, goals.pixels)

    @torch.no_grad()
    def act(self, seen: Seen) -> Decision:
        """Actions (E, A) for the coming tick; before the first frame the world stood still.

        UserError as of :meth:`reset`.
        """
        self._history.see(embedded(self._network, seen.pixels))
        before, now = np.moveaxis(self._history.embeddings(), 1, 0)
        frames = (torch.from_numpy(np.ascontiguousarray(x)) for x in (before, now, self._goals))
        return Decision(self._network.actions(*frames).double().numpy())
