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

from agent.errors import DamagedDataError, UserError
from agent.files.bundle import CHECKPOINT, bundle_sha256, has_bundle, read_bundle
from agent.interfaces import Array, Decision, FloatArray, Goals, Needs, Seen
from agent.rivals.algorithms import own_part
from agent.rivals.policy_files import CONFIG, load_policy, read_config, save_policy
from agent.rivals.state_code import StateCode
from envs import WorldSpec

SCHEMA = "lejepa-agent/actor/3"


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


class Actor(nn.Module):
    """States and goals of the world of ``spec`` to actions."""

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


def save_actor(directory: Path, actor: Actor, facts: Mapping[str, Any]) -> None:
    """Write ``actor`` to ``directory``; ``facts`` (JSON values) say how it was made.

    Raises:
        UserError: if something other than a checkpoint lies there.
    """
    world = {"world": actor.spec.to_json()}
    save_policy(directory, SCHEMA, ("actor", actor.config), actor, facts, world)


def load_actor(directory: Path) -> Actor:
    """The actor in ``directory``.

    Raises:
        UserError: if there is none, or one of another schema.
        DamagedDataError: if it is not what its manifest says, or does not fit its config.
    """
    files = read_bundle(directory)
    config = _config(directory, files)
    try:
        settings = dict(config["actor"])
        settings["hidden"] = tuple(settings["hidden"])
        shape, spec = ActorConfig(**settings), WorldSpec.from_json(config["world"])
        return load_policy(directory, files, lambda: Actor(shape, spec))
    except (KeyError, ValueError, TypeError) as error:
        raise DamagedDataError(f"{directory}: {CONFIG} is damaged ({error!r})") from error


def actor_facts(directory: Path) -> dict[str, Any]:
    """What was told when it was saved; same errors as of :func:`load_actor`."""
    files = read_bundle(directory, only=[CONFIG])
    facts: dict[str, Any] = _config(directory, files)["facts"]
    return facts


def _config(directory: Path, files: Mapping[str, bytes]) -> dict[str, Any]:
    advice = "expected an RL checkpoint: give one made by `baseline`"
    return read_config(directory, files, (SCHEMA,), advice)


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
