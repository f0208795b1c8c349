"""A trained policy as a controller on the true state, free of any RL library.

A multilayer perceptron with ReLU; the torque is tanh of its output, which is what a squashed
Gaussian policy does when it acts deterministically (Haarnoja et al. 2018, arXiv:1801.01290,
App. C). On disk it is ``config.json`` and ``model.safetensors``.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from agent.errors import DamagedDataError, UserError
from agent.interfaces import Array, FloatArray, GoalObservation
from agent.model.bundle import bundle_sha256, has_bundle, read_bundle, write_bundle
from envs import ACTION_REPEAT, TORQUE_DIM

SCHEMA = "lejepa-agent/goal-actor/1"
CHECKPOINT = "checkpoint"  # its folder inside that of a training
CONFIG, WEIGHTS = "config.json", "model.safetensors"
# In the order in which the network reads them; poses are cos, sin of the shoulder, then the wrist.
LAYOUT = ("achieved pose (4)", "desired pose (4)", "pose (4)", "scaled velocity (2)")
INPUT_WIDTH = 14


@dataclass(frozen=True)
class ActorConfig:
    """Layer sizes and the world it was trained in.

    Velocities are divided by ``velocity_scale_rad_s`` and clipped to ±``velocity_limit``.
    """

    hidden: tuple[int, ...]
    inputs: tuple[str, ...] = LAYOUT
    velocity_scale_rad_s: float = 10.0
    velocity_limit: float = 10.0
    torque_low: float = -1.0
    torque_high: float = 1.0
    action_repeat: int = ACTION_REPEAT

    def __post_init__(self) -> None:
        if tuple(self.inputs) != LAYOUT:
            raise ValueError(f"expected inputs {LAYOUT}, got {self.inputs}")
        if not self.hidden or min(self.hidden) < 1:
            raise ValueError(f"expected hidden layer sizes >= 1, got {self.hidden}")


class Actor(nn.Module):
    """States and goals to torques."""

    def __init__(self, config: ActorConfig) -> None:
        super().__init__()
        self.config = config
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise((INPUT_WIDTH, *config.hidden)):
            layers += [nn.Linear(inputs, outputs), nn.ReLU()]
        self.network = nn.Sequential(*layers, nn.Linear(config.hidden[-1], TORQUE_DIM))

    def forward(self, features: Tensor) -> Tensor:
        """Torques (E, 2) within the limits, from ``features`` (E, 14)."""
        low, high = self.config.torque_low, self.config.torque_high
        squashed: Tensor = torch.tanh(self.network(features))
        return low + (squashed + 1.0) * (high - low) / 2.0

    def features(self, observations: Sequence[GoalObservation]) -> FloatArray:
        """What the network reads, (E, 14), in the order of ``LAYOUT``."""
        states = np.stack([o.state for o in observations])
        goals = np.stack([o.goal_state for o in observations])
        pose, goal = _cos_sin(states[:, :TORQUE_DIM]), _cos_sin(goals[:, :TORQUE_DIM])
        limit = self.config.velocity_limit
        velocity = states[:, TORQUE_DIM:] / self.config.velocity_scale_rad_s
        columns = [pose, goal, pose, np.clip(velocity, -limit, limit)]
        return np.concatenate(columns, 1).astype(np.float32)


def _cos_sin(qpos_rad: np.ndarray) -> np.ndarray:
    pairs = np.stack([np.cos(qpos_rad), np.sin(qpos_rad)], -1)  # (E, 2, 2)
    return pairs.reshape(len(qpos_rad), -1)


def save_actor(directory: Path, actor: Actor, facts: Mapping[str, Any]) -> None:
    """Write ``actor`` to ``directory``; ``facts`` (JSON values) say how it was made.

    Raises:
        UserError: if something other than a checkpoint lies there.
    """
    config = {
        "schema": SCHEMA,
        "actor": dataclasses.asdict(actor.config),
        "facts": dict(facts),
    }
    files = {
        CONFIG: json.dumps(config, indent=2).encode(),
        WEIGHTS: safetensors.torch.save(actor.state_dict()),
    }
    write_bundle(directory, files)


def load_actor(directory: Path) -> Actor:
    """The actor in ``directory``.

    Raises:
        UserError: if there is none, or one of another schema.
        DamagedDataError: if it is not what its manifest says, or does not fit its config.
    """
    files = read_bundle(directory)
    actor = Actor(_config_of(directory, files))
    try:
        actor.load_state_dict(safetensors.torch.load(files[WEIGHTS]))
    except (SafetensorError, RuntimeError, KeyError) as error:
        raise DamagedDataError(f"{directory}: weights do not fit {CONFIG} ({error})") from error
    return actor.eval()


def _config_of(directory: Path, files: Mapping[str, bytes]) -> ActorConfig:
    try:
        config = json.loads(files[CONFIG])
        found = config["schema"]
    except (KeyError, ValueError, TypeError) as error:
        raise DamagedDataError(f"{directory}: {CONFIG} is unreadable ({error!r})") from error
    if found != SCHEMA:
        raise UserError(
            f"expected an RL checkpoint ({SCHEMA}) in {directory}, got {found!r}: give one made "
            "by `baseline`, or evaluate it with the controller it belongs to"
        )
    try:
        settings = {name: _as_tuple(value) for name, value in config["actor"].items()}
        return ActorConfig(**settings)
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise DamagedDataError(f"{directory}: {CONFIG} is damaged ({error!r})") from error


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


class SacController:
    """Acts with a trained actor on the true state, without exploration noise."""

    name = "sac"
    needs_pixels = False

    def __init__(self, actor: Actor, checkpoint_sha256: str | None = None) -> None:
        self._actor = actor
        self.action_repeat = actor.config.action_repeat
        self.checkpoint_sha256 = checkpoint_sha256

    @classmethod
    def load(cls, directory: Path) -> SacController:
        """From a checkpoint, or from the folder of a training that has one.

        Raises:
            UserError, DamagedDataError: see :func:`load_actor`.
        """
        if not has_bundle(directory) and has_bundle(directory / CHECKPOINT):
            directory = directory / CHECKPOINT
        return cls(load_actor(directory), bundle_sha256(directory))

    def reset(self, observations: Sequence[GoalObservation], seeds: Sequence[int]) -> None:
        """Nothing to remember: the state is in the observation."""

    @torch.no_grad()
    def act(self, observations: Sequence[GoalObservation]) -> Array:
        """Torques (E, 2) in [-1, 1]."""
        features = torch.from_numpy(self._actor.features(observations))
        torques: Array = self._actor(features).double().numpy()
        return torques
