"""A trained policy as a controller on the true state, free of any RL library.

A multilayer perceptron with ReLU. A policy trained to act through tanh does so here (Haarnoja et
al. 2018, arXiv:1801.01290, App. C; TD3: Fujimoto et al. 2018, arXiv:1802.09477), one trained
without (PPO) is cut at the limits. On disk it is ``config.json`` and ``model.safetensors``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from agent.files.bundle import bundle_sha256
from agent.interfaces import Array, Decision, FloatArray, Goals, Needs, Seen
from agent.rivals.algorithms import own_part
from agent.rivals.policy_files import Policy, PolicyFiles
from agent.rivals.state_code import StateCode
from envs import WorldSpec


@dataclass(frozen=True)
class ActorConfig:
    """Layer sizes and what it was trained on.

    ``task`` is the one of dm_control it was trained on, None for goals. ``squashed``: the output
    goes through tanh, otherwise it is clipped.
    """

    hidden: tuple[int, ...]
    algorithm: str = "sac"
    task: str | None = None
    squashed: bool = True

    def __post_init__(self) -> None:
        if not self.hidden or min(self.hidden) < 1:
            raise ValueError(f"expected hidden layer sizes >= 1, got {self.hidden}")


class Actor(Policy):
    """States and goals of the world of ``spec`` to actions."""

    config: ActorConfig

    def __init__(self, config: ActorConfig, spec: WorldSpec) -> None:
        super().__init__()
        self.config, self.spec = config, spec
        nothing = np.zeros((1, len(spec.state)))
        sizes = (self.features(nothing, nothing).shape[1], *config.hidden)
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(sizes):
            layers += [nn.Linear(inputs, outputs), nn.ReLU()]
        self.network = nn.Sequential(*layers, nn.Linear(sizes[-1], spec.action_dim))

    def forward(self, features: Tensor) -> Tensor:
        """Actions (E, A) in [-1, 1], from ``features`` (E, F)."""
        output: Tensor = self.network(features)
        return torch.tanh(output) if self.config.squashed else output.clamp(-1.0, 1.0)

    def features(self, states: Array, goals: Array) -> FloatArray:
        """What the network reads, (E, F), of states and goals (E, S)."""
        if self.config.task is None:
            return StateCode(self.spec).features(states, goals)
        features: FloatArray = own_part(self.spec.world).task_features(states, goals)
        return features


ACTORS = PolicyFiles(
    "lejepa-agent/actor/3",
    "actor",
    ActorConfig,
    Actor,
    advice="expected an RL checkpoint: give one made by `baseline`",
)


class ActorController:
    """Acts with a trained actor on the true state, without exploration noise.

    An actor trained on a task of dm_control plays that one's protocol and no other.
    """

    def __init__(self, actor: Actor, checkpoint_sha256: str | None = None) -> None:
        self._actor = actor
        self.name = actor.config.algorithm
        tasks = None if actor.config.task is None else (f"dmc-{actor.config.task}",)
        self.needs = Needs(pixels=False, state=True, spec=actor.spec, tasks=tasks)
        self.checkpoint_sha256 = checkpoint_sha256

    @classmethod
    def load(cls, directory: Path, algorithm: str | None = None) -> ActorController:
        """From a checkpoint; raises what ``ACTORS.load`` does."""
        return cls(ACTORS.load(directory, algorithm), bundle_sha256(directory))

    def reset(self, goals: Goals, seeds: Sequence[int]) -> None:
        """Remember the goals' states."""
        assert goals.state is not None, "it needs states"
        self._goals = goals.state

    @torch.no_grad()
    def act(self, seen: Seen) -> Decision:
        """Actions (E, A) in [-1, 1]."""
        assert seen.state is not None, "it needs states"
        features = torch.from_numpy(self._actor.features(seen.state, self._goals))
        return Decision(self._actor(features).double().numpy())
