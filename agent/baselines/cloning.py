"""Goal-conditioned behaviour cloning: from frames and a goal image straight to a torque.

No model, no planning: a network regresses the torque that was sent on the way from one recorded
frame to a later one, which hindsight makes the goal (Ding et al. 2019, arXiv:1906.05838; Ghosh et
al. 2021, arXiv:1912.06088, Sec. 4). With goals shortly ahead it is an inverse dynamics model, with
goals up to seconds ahead a clone of whatever led there. Frames and data are the world model's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from agent.baselines.policy_files import CONFIG, load_weights, read_config, save_policy
from agent.control.history import TickHistory
from agent.errors import DamagedDataError, UserError
from agent.interfaces import Array, GoalObservation
from agent.model.bundle import bundle_sha256, read_bundle
from agent.model.encoder import ConvEncoder, EncoderConfig
from envs import ACTION_REPEAT, TORQUE_DIM

SCHEMA = "lejepa-agent/clone/1"
GOAL_TICKS: Mapping[str, int] = {"inverse-dynamics": 8, "clone": 50}
"""How far ahead hindsight goals lie at most, by algorithm [env steps of 0.04 s]."""


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
    render_profile: str = "fast"
    action_repeat: int = ACTION_REPEAT

    def __post_init__(self) -> None:
        if self.algorithm not in GOAL_TICKS:
            raise ValueError(f"expected algorithm of {sorted(GOAL_TICKS)}, got {self.algorithm!r}")
        for name in ("width", "stride", "action_repeat"):
            if getattr(self, name) < 1:
                raise ValueError(f"expected {name} >= 1, got {getattr(self, name)}")


class Frames(NamedTuple):
    """What the network reads, uint8 (B, h, w, 3) each: a model step ago, now, and the goal."""

    before: Tensor
    now: Tensor
    goal: Tensor


class CloneNetwork(nn.Module):
    """One encoder for all three frames, then a multilayer perceptron."""

    def __init__(self, config: CloneConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = ConvEncoder(config.encoder)
        width, inputs = config.width, 3 * config.encoder.latent_dim
        self.head = nn.Sequential(
            nn.Linear(inputs, width), nn.LayerNorm(width), nn.SiLU(),
            nn.Linear(width, width), nn.LayerNorm(width), nn.SiLU(),
            nn.Linear(width, TORQUE_DIM),
        )  # fmt: skip

    def forward(self, frames: Frames) -> Tensor:
        """Torques (B, 2) in [-1, 1]."""
        embeddings = self.encoder(torch.cat(frames))  # (3 B, D)
        return self.torques(*embeddings.chunk(3))

    def torques(self, before: Tensor, now: Tensor, goal: Tensor) -> Tensor:
        """Torques (B, 2) from embeddings (B, D) of the three frames."""
        sent: Tensor = torch.tanh(self.head(torch.cat([now, now - before, goal], -1)))
        return sent


def save_clone(directory: Path, network: CloneNetwork, facts: Mapping[str, Any]) -> None:
    """Write ``network`` to ``directory``; ``facts`` (JSON values) say how it was made.

    Raises:
        UserError: if something other than a checkpoint lies there.
    """
    save_policy(directory, SCHEMA, ("clone", network.config), network, facts)


def load_clone(directory: Path) -> CloneNetwork:
    """The network in ``directory``, in evaluation mode.

    Raises:
        UserError: if there is none, or one of another schema.
        DamagedDataError: if it is not what its manifest says, or does not fit its config.
    """
    files = read_bundle(directory)
    network = CloneNetwork(_config_of(directory, files))
    load_weights(directory, files, network)
    return network


def _config_of(directory: Path, files: Mapping[str, bytes]) -> CloneConfig:
    advice = "expected a cloned policy: give one made by `baseline --algorithm clone`"
    config = read_config(directory, files, (SCHEMA,), advice)
    try:
        settings = dict(config["clone"])
        encoder = dict(settings.pop("encoder"))
        encoder["channels"] = tuple(encoder["channels"])
        return CloneConfig(encoder=EncoderConfig(**encoder), **settings)
    except (KeyError, ValueError, TypeError) as error:
        raise DamagedDataError(f"{directory}: {CONFIG} is damaged ({error!r})") from error


class CloneController:
    """Acts with a cloned policy; sees pixels only."""

    needs_pixels = True

    def __init__(self, network: CloneNetwork, checkpoint_sha256: str | None = None) -> None:
        self._network, config = network.eval(), network.config
        self.name = config.algorithm
        self.render_profile = config.render_profile  # evaluation checks these three
        self.image_size = config.encoder.image_size
        self.action_repeat = config.action_repeat
        self.checkpoint_sha256 = checkpoint_sha256

    @classmethod
    def load(cls, directory: Path, algorithm: str) -> CloneController:
        """From a checkpoint of ``algorithm``.

        Raises:
            UserError, DamagedDataError: see :func:`load_clone`; or on another algorithm.
        """
        network = load_clone(directory)
        if network.config.algorithm != algorithm:
            raise UserError(
                f"expected a checkpoint of {algorithm} in {directory}, got one of "
                f"{network.config.algorithm}: use --controller {network.config.algorithm}"
            )
        return cls(network, bundle_sha256(directory))

    @torch.no_grad()
    def reset(self, observations: Sequence[GoalObservation], seeds: Sequence[int]) -> None:
        """Embed the goals and forget the past; nothing is random.

        Raises:
            UserError: if frames are not of the size it was trained on.
        """
        self._history: TickHistory[Tensor] = TickHistory(
            2, self._network.config.stride, TORQUE_DIM, torch.stack, torch.zeros
        )
        self._goals = self._encode([o.goal_pixels for o in observations])

    @torch.no_grad()
    def act(self, observations: Sequence[GoalObservation]) -> Array:
        """Torques (E, 2) for the coming tick; before the first frame the arm stood still.

        Raises:
            UserError: as :meth:`reset`.
        """
        self._history.see(self._encode([o.pixels for o in observations]))
        before, now = self._history.embeddings().unbind(1)
        torques: Array = self._network.torques(before, now, self._goals).double().numpy()
        return torques

    def _encode(self, frames: Sequence[np.ndarray]) -> Tensor:
        size = self.image_size
        for frame in frames:
            if frame.shape != (size, size, 3) or frame.dtype != np.uint8:
                raise UserError(
                    f"expected frames uint8 ({size}, {size}, 3), as the policy was trained on, "
                    f"got {frame.dtype} {frame.shape}"
                )
        embeddings: Tensor = self._network.encoder(torch.from_numpy(np.stack(frames)))
        return embeddings
