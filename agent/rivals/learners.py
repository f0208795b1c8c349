"""Stable-Baselines3 behind four verbs: make a learner, let it learn a leg, freeze it, thaw it.

(Raffin et al. 2021, JMLR 22.) The only importer of that library. A leg is whole episodes in all
environments at once, from a reset on, and all that is random in it follows from the leg's own
seed. So the state between two legs is tensors and counts alone, and a training that is stopped
there continues as if it had not been.
"""

from __future__ import annotations

import operator
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import gymnasium
import numpy as np
import torch
from torch import Tensor, nn

from agent.extras import require
from agent.rivals.actor import Actor, ActorConfig
from agent.rivals.algorithms import Algorithm, RLSettings, make_environment

if TYPE_CHECKING:
    from stable_baselines3.common.base_class import BaseAlgorithm

    from envs import WorldSpec

    Learner: TypeAlias = BaseAlgorithm

COUNTS = ("num_timesteps", "_n_updates", "_episode_num")
_PLACE = ("pos", "full")  # of a replay buffer


def make_learner(
    algorithm: Algorithm, world: str, task: str | None, seed: int, settings: RLSettings
) -> Learner:
    """An untrained learner with its environments.

    It seeds the global random generators: there is no other way to make it repeatable.
    MachineError if Stable-Baselines3 is not installed.
    """
    stable_baselines3 = require("stable_baselines3")
    from stable_baselines3.common.logger import Logger
    from stable_baselines3.common.monitor import Monitor
    from stable_baselines3.common.vec_env import DummyVecEnv

    def environment() -> gymnasium.Env[Any, Any]:
        return Monitor(make_environment(algorithm, world, task))

    environments = DummyVecEnv([environment] * settings.environments)
    kind = getattr(stable_baselines3, algorithm.library_class)
    learner: Learner = kind(
        "MlpPolicy" if algorithm.on_dmc_reward else "MultiInputPolicy",
        environments,
        learning_rate=settings.learning_rate,
        batch_size=settings.batch,
        gamma=settings.discount,
        policy_kwargs={"net_arch": list(settings.hidden), "activation_fn": nn.ReLU},
        seed=_spread(seed),
        device="cpu",
        **_own_arguments(algorithm, settings, environments),
    )
    learner.set_logger(Logger(None, []))  # its own makes a temporary folder a leg, and leaves it
    return learner


def episode_steps(environments: Any) -> int:
    """Env steps of an episode that the world does not end; the same in all environments."""
    return int(environments.get_attr("budget_steps")[0])


def _own_arguments(algorithm: Algorithm, settings: RLSettings, environments: Any) -> dict[str, Any]:
    """What one algorithm takes and the others do not."""
    steps = episode_steps(environments)
    if algorithm.library_class == "PPO":
        return {"n_steps": settings.leg_episodes * steps, "n_epochs": settings.epochs}
    arguments: dict[str, Any] = {
        "buffer_size": settings.replay,
        "learning_starts": settings.warm_up_episodes * steps * settings.environments,
        "train_freq": 1,
        "gradient_steps": settings.updates_per_round,
        "tau": settings.target_rate,
    }
    if algorithm.library_class == "TD3":
        from stable_baselines3.common.noise import NormalActionNoise

        width = environments.action_space.shape
        noise = NormalActionNoise(np.zeros(width), settings.exploration_noise * np.ones(width))
        arguments["action_noise"] = noise
    if settings.hindsight_goals:
        from stable_baselines3 import HerReplayBuffer

        arguments["replay_buffer_class"] = HerReplayBuffer
        arguments["replay_buffer_kwargs"] = {"n_sampled_goal": settings.hindsight_goals}
    return arguments


def learn_leg(learner: Learner, seed: int, leg: int, settings: RLSettings) -> list[Any]:
    """Learn from ``leg_episodes`` episodes of each environment; what Monitor says of each."""
    environments = learner.get_env()
    assert environments is not None
    learner.set_random_seed(_spread(seed, leg))  # of the environments' next reset, too
    learner._last_obs = None  # makes it reset them
    _finish_episodes(learner)
    for buffer in (learner.ep_info_buffer, learner.ep_success_buffer):
        if buffer is not None:
            buffer.clear()
    share = settings.leg_episodes * episode_steps(environments) * settings.environments
    learner.learn(share, reset_num_timesteps=False, log_interval=10**9)
    ended = zip(learner.ep_info_buffer or (), learner.ep_success_buffer or (), strict=True)
    return [(float(episode["r"]), bool(success)) for episode, success in ended]


def _finish_episodes(learner: Learner) -> None:
    """Close, in a buffer of hindsight goals, the episodes that the reset cuts off.

    There are some only where a world ended others early.
    """
    buffer: Any = getattr(learner, "replay_buffer", None)
    if hasattr(buffer, "_current_ep_start") and (buffer._current_ep_start != buffer.pos).any():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            buffer.truncate_last_trajectory()


def _spread(seed: int, leg: int | None = None) -> int:
    # Environment i is seeded with this number plus i: neighbouring seeds must not share tasks.
    key = () if leg is None else (leg,)
    return int(np.random.SeedSequence(seed, spawn_key=key).generate_state(1)[0]) >> 1


def freeze(learner: Learner) -> dict[str, Tensor]:
    """All that a later leg depends on, as tensors by name."""
    tensors: dict[str, Tensor] = {}
    modules, loose = learner._get_torch_save_params()
    for name in modules:
        part = operator.attrgetter(name)(learner)
        if isinstance(part, torch.optim.Optimizer):
            for index, kept in part.state_dict()["state"].items():
                tensors |= {f"{name}/{index}/{key}": value for key, value in kept.items()}
        else:
            tensors |= {f"{name}/{key}": value for key, value in part.state_dict().items()}
    tensors |= {name: operator.attrgetter(name)(learner).detach() for name in loose}
    tensors |= {name: torch.tensor(getattr(learner, name)) for name in COUNTS}
    if (buffer := getattr(learner, "replay_buffer", None)) is not None:
        for name, array in _arrays(buffer).items():
            rows = buffer.size() if len(array) == buffer.buffer_size else len(array)
            tensors[f"replay/{name}"] = torch.from_numpy(array[:rows])
        tensors |= {f"replay/{name}": torch.tensor(getattr(buffer, name)) for name in _PLACE}
    return {name: value.clone().contiguous() for name, value in tensors.items()}


def thaw(learner: Learner, tensors: Mapping[str, Tensor]) -> None:
    """Put back what :func:`freeze` took, into a learner made with the same settings.

    Raises:
        KeyError, RuntimeError, ValueError: if the tensors are of another learner.
    """
    modules, loose = learner._get_torch_save_params()
    for name in modules:
        part = operator.attrgetter(name)(learner)
        inside = {k.removeprefix(f"{name}/"): v for k, v in tensors.items() if _in(k, name)}
        if isinstance(part, torch.optim.Optimizer):
            part.load_state_dict({**part.state_dict(), "state": _by_index(inside)})
        else:
            part.load_state_dict(inside)
    for name in loose:
        operator.attrgetter(name)(learner).data.copy_(tensors[name])
    for name in COUNTS:
        setattr(learner, name, int(tensors[name]))
    if (buffer := getattr(learner, "replay_buffer", None)) is not None:
        for name, array in _arrays(buffer).items():
            kept = tensors[f"replay/{name}"].numpy()
            array[: len(kept)] = kept
        buffer.pos, buffer.full = (tensors[f"replay/{name}"].item() for name in _PLACE)


def _in(key: str, name: str) -> bool:
    return key.startswith(f"{name}/")


def _by_index(flat: Mapping[str, Tensor]) -> dict[int, dict[str, Tensor]]:
    nested: dict[int, dict[str, Tensor]] = {}
    for key, value in flat.items():
        index, name = key.split("/")
        nested.setdefault(int(index), {})[name] = value
    return nested


def _arrays(buffer: Any) -> dict[str, np.ndarray[Any, Any]]:
    """All numbers of a replay buffer by name, its own arrays: a row a step, or one an env."""
    parts = ((n, part) for n, part in vars(buffer).items() if isinstance(part, dict))
    named = {f"{name}/{key}": value for name, part in parts for key, value in part.items()}
    found = (vars(buffer) | named).items()
    return {name: v for name, v in found if isinstance(v, np.ndarray) and v.dtype != object}


def extract_actor(
    learner: Learner, algorithm: Algorithm, spec: WorldSpec, task: str | None
) -> Actor:
    """The deterministic policy as a network of our own."""
    policy: Any = learner.policy
    if algorithm.library_class == "PPO":
        theirs: Sequence[nn.Module] = (*policy.mlp_extractor.policy_net, policy.action_net)
    elif algorithm.library_class == "TD3":
        theirs = policy.actor.mu
    else:
        theirs = (*policy.actor.latent_pi, policy.actor.mu)
    linears = [module for module in theirs if isinstance(module, nn.Linear)]
    config = ActorConfig(
        hidden=tuple(layer.out_features for layer in linears[:-1]),
        algorithm=algorithm.name,
        task=task,
        squashed=algorithm.library_class != "PPO",
    )
    actor = Actor(config, spec)
    ours = [module for module in actor.network if isinstance(module, nn.Linear)]
    for mine, their in zip(ours, linears, strict=True):
        mine.load_state_dict(their.state_dict())
    return actor.eval()
