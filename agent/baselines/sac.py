"""Soft actor-critic with hindsight goals on the true state, the rival of the world model.

Stable-Baselines3's SAC (Haarnoja et al. 2018, arXiv:1801.01290) and ``HerReplayBuffer``
(Andrychowicz et al. 2017, arXiv:1707.01495) on ``LeJEPA/ReacherStateGoal-v0``, whose reward is
sparse: 0 inside the tolerance of the evaluation, −1 outside. Starts and goals are those of the
evaluation: any pose to any pose, and every second start in motion, as ``lewm`` has it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Generator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gymnasium
import numpy as np
import torch

from agent.baselines.actor import CHECKPOINT, Actor, ActorConfig, SacController, save_actor
from agent.data.durable import append_line_durably, explained_disk_errors
from agent.errors import UserError
from envs import STATE_GOAL_ID

if TYPE_CHECKING:
    from stable_baselines3 import SAC

__all__ = [
    "SacController",
    "SacSettings",
    "SacStatistics",
    "train_sac",
]

METRICS = "metrics.jsonl"
MOVING_SHARE = 0.5  # of the episodes start in motion
START_SPEED_RAD_S = 2.0  # standard deviation; the recordings of `lewm` have about this


@dataclass(frozen=True)
class SacSettings:
    """How SAC learns; settings known to work, one core in mind.

    Each round steps every environment once and then makes ``updates_per_round`` gradient steps.
    """

    environments: int = 8
    updates_per_round: int = 4
    hidden: tuple[int, ...] = (128, 128)
    learning_rate: float = 1e-3
    batch: int = 256
    discount: float = 0.98
    target_rate: float = 0.01
    hindsight_goals: int = 4
    warm_up_episodes: int = 2
    """Episodes of random torques in each environment before learning."""
    threads: int = 1
    report_every: int = 400
    """Env steps between two statistics."""


@dataclass(frozen=True)
class SacStatistics:
    """How far training is; ``success`` is the share of the last 100 episodes that ended inside
    the tolerance (with exploration noise), None before the first has ended.
    """

    env_steps: int
    total_env_steps: int
    updates: int
    seconds: float
    success: float | None


class MovingStarts(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Gives every second episode, at random, an initial velocity."""

    def __init__(self, env: gymnasium.Env[Any, Any]) -> None:
        super().__init__(env)
        self._rng = np.random.default_rng()

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """As the environment's own; what ``options`` give is kept."""
        if seed is not None:
            self._rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(1,)))
        velocity = self._rng.normal(0.0, START_SPEED_RAD_S, 2)
        moving = self._rng.random() < MOVING_SHARE
        drawn = {"qvel": velocity} if moving else {}
        return self.env.reset(seed=seed, options={**drawn, **(options or {})})


def train_sac(
    out: Path, env_steps: int = 30_000, seed: int = 0, settings: SacSettings | None = None
) -> Generator[SacStatistics, None, None]:
    """Train for ``env_steps`` in all environments together, telling how far it is.

    ``out`` gets ``metrics.jsonl`` and, at the end, on Ctrl-C and when the iterator is closed
    (``contextlib.closing`` makes sure of it), the actor in ``checkpoint/``. The same seed gives
    the same weights on one machine.

    Raises:
        UserError: if the numbers make no sense or ``out`` cannot be written.
    """
    settings = settings or SacSettings()
    if env_steps < 1 or seed < 0:
        raise UserError(f"expected env_steps >= 1 and seed >= 0, got {env_steps} and {seed}")
    with explained_disk_errors(out):
        out.mkdir(parents=True, exist_ok=True)
        (out / METRICS).unlink(missing_ok=True)
    return _train(out, env_steps, seed, settings)


def _train(
    out: Path, env_steps: int, seed: int, settings: SacSettings
) -> Generator[SacStatistics, None, None]:
    threads_before = torch.get_num_threads()
    torch.set_num_threads(settings.threads)  # layers this small only lose by sharing the work
    start_s = time.monotonic()
    model = make_model(seed, settings)
    try:
        while model.num_timesteps < env_steps:
            share = min(settings.report_every, env_steps - model.num_timesteps)
            model.learn(share, reset_num_timesteps=False, log_interval=10**9)
            statistics = _statistics(model, env_steps, time.monotonic() - start_s)
            with explained_disk_errors(out):
                append_line_durably(out / METRICS, json.dumps(asdict(statistics)))
            yield statistics
    except (KeyboardInterrupt, GeneratorExit):
        _save(out, model, seed, settings, time.monotonic() - start_s)
        raise
    finally:
        torch.set_num_threads(threads_before)
        model.get_env().close()  # type: ignore[union-attr]
    _save(out, model, seed, settings, time.monotonic() - start_s)


def make_model(seed: int, settings: SacSettings) -> SAC:
    """Stable-Baselines3's SAC with its environments, untrained.

    It seeds the global random generators: there is no other way to make it repeatable.
    """
    from stable_baselines3 import SAC, HerReplayBuffer
    from stable_baselines3.common.vec_env import DummyVecEnv

    environments = DummyVecEnv([_make_environment] * settings.environments)
    episode_steps = environments.get_attr("budget_steps")[0]
    return SAC(
        "MultiInputPolicy",
        environments,
        replay_buffer_class=HerReplayBuffer,
        replay_buffer_kwargs={"n_sampled_goal": settings.hindsight_goals},
        learning_rate=settings.learning_rate,
        batch_size=settings.batch,
        gamma=settings.discount,
        tau=settings.target_rate,
        train_freq=1,
        gradient_steps=settings.updates_per_round,
        learning_starts=settings.warm_up_episodes * episode_steps * settings.environments,
        policy_kwargs={"net_arch": list(settings.hidden)},
        seed=_spread(seed),
        device="cpu",
    )


def _spread(seed: int) -> int:
    # Environment i is seeded with this number plus i: neighbouring seeds must not share tasks.
    return int(np.random.SeedSequence(seed).generate_state(1)[0]) >> 1


def _make_environment() -> gymnasium.Env[Any, Any]:
    return MovingStarts(gymnasium.make(STATE_GOAL_ID, disable_env_checker=True))


def _statistics(model: SAC, env_steps: int, seconds: float) -> SacStatistics:
    ended = list(model.ep_success_buffer or ())
    success = float(np.mean(ended)) if ended else None
    return SacStatistics(model.num_timesteps, env_steps, model._n_updates, seconds, success)


def extract_actor(model: SAC) -> Actor:
    """The deterministic policy of ``model`` as a network of our own."""
    theirs = model.policy.actor
    linears = [m for m in (*theirs.latent_pi, theirs.mu) if isinstance(m, torch.nn.Linear)]
    actor = Actor(ActorConfig(hidden=tuple(layer.out_features for layer in linears[:-1])))
    ours = [m for m in actor.network if isinstance(m, torch.nn.Linear)]
    for mine, their in zip(ours, linears, strict=True):
        mine.load_state_dict(their.state_dict())
    return actor.eval()


def _save(out: Path, model: SAC, seed: int, settings: SacSettings, seconds: float) -> None:
    facts = {
        "algorithm": "SAC + HER (stable-baselines3)",
        "environment": STATE_GOAL_ID,
        "env_steps": model.num_timesteps,
        "updates": model._n_updates,
        "seed": seed,
        "seconds": round(seconds, 1),
        "settings": asdict(settings),
    }
    with explained_disk_errors(out):
        save_actor(out / CHECKPOINT, extract_actor(model), facts)
