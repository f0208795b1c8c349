"""A trained policy as a controller on the true state, free of any RL library.

A multilayer perceptron with ReLU. A policy trained to act through tanh does so here (Haarnoja et
al. 2018, arXiv:1801.01290, App. C; TD3: Fujimoto et al. 2018, arXiv:1802.09477), one trained
without (PPO) is cut at the limits. On disk it is ``config.json`` and ``model.safetensors``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from agent.baselines.policy_files import CONFIG, load_weights, read_config, save_policy
from agent.errors import DamagedDataError, UserError
from agent.interfaces import Array, FloatArray, GoalObservation
from agent.model.bundle import CHECKPOINT, bundle_sha256, has_bundle, read_bundle
from envs import ACTION_REPEAT, TORQUE_DIM, fingertip_m

SCHEMA = "lejepa-agent/actor/2"
READABLE = (SCHEMA, "lejepa-agent/goal-actor/1")  # the older one lacks what has a default here
# What the network reads, in order. Poses are cos, sin of the shoulder, then of the wrist.
GOAL_LAYOUT = ("achieved pose (4)", "desired pose (4)", "pose (4)", "scaled velocity (2)")
TARGET_LAYOUT = ("position (2)", "to target (2)", "velocity (2)")
WIDTHS = {GOAL_LAYOUT: 14, TARGET_LAYOUT: 6}


@dataclass(frozen=True)
class ActorConfig:
    """Layer sizes, what it reads and the world it was trained in.

    ``task`` is the one of dm_control it was trained on, None for goal poses. In ``GOAL_LAYOUT``
    velocities are divided by ``velocity_scale_rad_s`` and clipped to ±``velocity_limit``;
    ``TARGET_LAYOUT`` is dm_control's observation as it is. ``squashed``: the output goes through
    tanh, otherwise it is clipped.
    """

    hidden: tuple[int, ...]
    inputs: tuple[str, ...] = GOAL_LAYOUT
    algorithm: str = "sac"
    task: str | None = None
    squashed: bool = True
    velocity_scale_rad_s: float = 10.0
    velocity_limit: float = 10.0
    torque_low: float = -1.0
    torque_high: float = 1.0
    action_repeat: int = ACTION_REPEAT

    def __post_init__(self) -> None:
        expected = GOAL_LAYOUT if self.task is None else TARGET_LAYOUT
        if tuple(self.inputs) != expected:
            raise ValueError(f"expected inputs {expected}, got {self.inputs}")
        if not self.hidden or min(self.hidden) < 1:
            raise ValueError(f"expected hidden layer sizes >= 1, got {self.hidden}")


class Actor(nn.Module):
    """States and goals to torques."""

    def __init__(self, config: ActorConfig) -> None:
        super().__init__()
        self.config = config
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise((WIDTHS[config.inputs], *config.hidden)):
            layers += [nn.Linear(inputs, outputs), nn.ReLU()]
        self.network = nn.Sequential(*layers, nn.Linear(config.hidden[-1], TORQUE_DIM))

    def forward(self, features: Tensor) -> Tensor:
        """Torques (E, 2) within the limits, from ``features`` (E, 14 or 6)."""
        low, high = self.config.torque_low, self.config.torque_high
        output: Tensor = self.network(features)
        if not self.config.squashed:
            return output.clamp(low, high)
        return low + (torch.tanh(output) + 1.0) * (high - low) / 2.0

    def features(self, observations: Sequence[GoalObservation]) -> FloatArray:
        """What the network reads, (E, 14 or 6), in the order of its layout.

        A target is where the fingertip is in the goal pose.
        """
        states = np.stack([o.state for o in observations])
        goals = np.stack([o.goal_state for o in observations])[:, :TORQUE_DIM]
        pose, velocity = states[:, :TORQUE_DIM], states[:, TORQUE_DIM:]
        if self.config.task is not None:
            columns = [pose, fingertip_m(goals) - fingertip_m(pose), velocity]
            return np.concatenate(columns, 1).astype(np.float32)
        limit = self.config.velocity_limit
        scaled = np.clip(velocity / self.config.velocity_scale_rad_s, -limit, limit)
        columns = [_cos_sin(pose), _cos_sin(goals), _cos_sin(pose), scaled]
        return np.concatenate(columns, 1).astype(np.float32)


def _cos_sin(qpos_rad: np.ndarray) -> np.ndarray:
    pairs = np.stack([np.cos(qpos_rad), np.sin(qpos_rad)], -1)  # (E, 2, 2)
    return pairs.reshape(len(qpos_rad), -1)


def save_actor(directory: Path, actor: Actor, facts: Mapping[str, Any]) -> None:
    """Write ``actor`` to ``directory``; ``facts`` (JSON values) say how it was made.

    Raises:
        UserError: if something other than a checkpoint lies there.
    """
    save_policy(directory, SCHEMA, ("actor", actor.config), actor, facts)


def load_actor(directory: Path) -> Actor:
    """The actor in ``directory``.

    Raises:
        UserError: if there is none, or one of another schema.
        DamagedDataError: if it is not what its manifest says, or does not fit its config.
    """
    files = read_bundle(directory)
    actor = Actor(_config_of(directory, files))
    load_weights(directory, files, actor)
    return actor


def _config_of(directory: Path, files: Mapping[str, bytes]) -> ActorConfig:
    advice = "expected an RL checkpoint: give one made by `baseline`"
    config = read_config(directory, files, READABLE, advice)
    try:
        settings = {name: _as_tuple(value) for name, value in config["actor"].items()}
        return ActorConfig(**settings)
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise DamagedDataError(f"{directory}: {CONFIG} is damaged ({error!r})") from error


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


class ActorController:
    """Acts with a trained actor on the true state, without exploration noise.

    An actor trained on a task of dm_control plays that one's protocol and no other.
    """

    needs_pixels = False

    def __init__(self, actor: Actor, checkpoint_sha256: str | None = None) -> None:
        self._actor = actor
        self.name = actor.config.algorithm
        self.action_repeat = actor.config.action_repeat
        self.protocols = None if actor.config.task is None else (f"dmc-{actor.config.task}",)
        self.checkpoint_sha256 = checkpoint_sha256

    @classmethod
    def load(cls, directory: Path, algorithm: str | None = None) -> ActorController:
        """From a checkpoint, or from the folder of a training that has one.

        Raises:
            UserError: if there is none, or another than ``algorithm`` was trained there.
            DamagedDataError: see :func:`load_actor`.
        """
        if not has_bundle(directory) and has_bundle(directory / CHECKPOINT):
            directory = directory / CHECKPOINT
        actor = load_actor(directory)
        found = actor.config.algorithm
        if algorithm not in (None, found):
            raise UserError(
                f"expected a policy of '{algorithm}' in {directory}, got one of '{found}': give "
                f"another directory, or evaluate it as '{found}'"
            )
        return cls(actor, bundle_sha256(directory))

    def reset(self, observations: Sequence[GoalObservation], seeds: Sequence[int]) -> None:
        """Nothing to remember: the state is in the observation."""

    @torch.no_grad()
    def act(self, observations: Sequence[GoalObservation]) -> Array:
        """Torques (E, 2) in [-1, 1]."""
        features = torch.from_numpy(self._actor.features(observations))
        torques: Array = self._actor(features).double().numpy()
        return torques
