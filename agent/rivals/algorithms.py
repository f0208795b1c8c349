"""The reinforcement learning a user can ask for by name, and its settings; no RL library here.

``sac``, ``td3`` and ``ppo`` learn to reach goals of any world whose state says when one is reached:
reward 0 inside the tolerance of the evaluation and −1 outside. The first two relabel goals in
hindsight (Andrychowicz et al. 2017, arXiv:1707.01495). PPO keeps no past to relabel and would
hardly ever see the sparse reward, so its own is shaped by the distance. ``sac-dmc`` and ``td3-dmc``
learn dm_control's own reward, in the one world that has it.

A world in ``OWN`` has environments of its own; every other one is a ``WorldGoalEnv``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from agent.errors import UserError
from agent.rivals.state_code import StateCode
from envs import DEFAULT_WORLD, make_world

if TYPE_CHECKING:
    import gymnasium

    from envs import WorldSpec

DMC_TASKS = ("easy", "hard")
OWN = {DEFAULT_WORLD: f"agent.rivals.{DEFAULT_WORLD}.environments"}
"""Modules with ``make_environment(algorithm, task)`` and ``task_features``, by world."""


def own_part(world: str) -> Any:
    """The module of a world that has environments of its own."""
    return import_module(OWN[world])


@dataclass(frozen=True)
class RLSettings:
    """How an algorithm learns; one core in mind.

    Each round steps every environment once; the off-policy algorithms then make
    ``updates_per_round`` gradient steps. PPO instead learns from whole episodes, ``epochs`` times.
    """

    environments: int = 8
    updates_per_round: int = 4
    hidden: tuple[int, ...] = (128, 128)
    learning_rate: float = 1e-3
    batch: int = 256
    discount: float = 0.98
    target_rate: float = 0.01
    replay: int = 300_000
    hindsight_goals: int = 4
    """Relabelled transitions for each real one; 0 for none."""
    exploration_noise: float = 0.1
    """Of TD3's actions, standard deviation."""
    warm_up_episodes: int = 2
    """Episodes of random actions in each environment before learning."""
    epochs: int = 10
    leg_episodes: int = 1
    """Episodes of each environment between two reports."""
    save_every: int = 4_000
    """Env steps between two states to resume from, at least."""
    checkpoint_every: int = 8_000
    """Env steps between two points of the learning curve, at least."""
    threads: int = 1


@dataclass(frozen=True)
class Algorithm:
    """One entry of ``ALGORITHMS``; ``library_class`` is its name in Stable-Baselines3."""

    name: str
    about: str
    library_class: str
    env_steps: int
    settings: RLSettings
    on_dmc_reward: bool = False

    def require_task(self, world: str, task: str | None) -> None:
        """Refuse a ``task`` that is missing, unknown or of no use, and a world without it.

        UserError says what to give or leave away.
        """
        if not self.on_dmc_reward:
            if task is not None:
                raise UserError(f"{self.name} learns to reach goals: leave --task away")
            return
        if world not in OWN:
            raise UserError(
                f"{self.name} learns in {', '.join(OWN)} alone, got --world {world}: take sac, td3 "
                "or ppo"
            )
        if task not in DMC_TASKS:
            raise UserError(
                f"expected --task of {', '.join(DMC_TASKS)} for {self.name}, got {task}"
            )


def spec_of(world: str) -> WorldSpec:
    """The spec of the world called ``world``, whose goals can be learned from its state.

    UserError or WorldError if there is no such world, or its state has no goal.
    """
    made = make_world(world)
    try:
        return StateCode(made.spec).spec
    finally:
        made.close()


def make_environment(algorithm: Algorithm, world: str, task: str | None) -> gymnasium.Env[Any, Any]:
    """One environment as ``algorithm`` trains in it."""
    if world in OWN:
        made: gymnasium.Env[Any, Any] = own_part(world).make_environment(algorithm, task)
        return made
    from agent.rivals.goal_env import WorldGoalEnv

    return WorldGoalEnv(make_world(world), shaped=algorithm.library_class == "PPO")


def whole_episodes(
    algorithm: Algorithm,
    world: str,
    task: str | None,
    asked: int | None,
    flag: str = "--env-steps",
    settings: RLSettings | None = None,
) -> int:
    """Env steps to learn from; where none are ``asked``, the algorithm's own, rounded up.

    Raises:
        UserError: naming ``flag`` if they are not whole episodes of all environments at once.
    """
    settings = settings or algorithm.settings
    environment = make_environment(algorithm, world, task)
    budget_steps = int(environment.get_wrapper_attr("budget_steps"))
    environment.close()
    leg = settings.environments * settings.leg_episodes * budget_steps
    wanted = algorithm.env_steps if asked is None else asked
    rounded = max(1, -(-wanted // leg)) * leg
    if asked is not None and rounded != asked:
        raise UserError(
            f"expected {flag} a multiple of {leg}, as {algorithm.name} plays whole episodes of "
            f"{settings.environments} environments at once in {world}, got {asked}: the next is "
            f"{rounded}"
        )
    return rounded


_GOAL = RLSettings()
_DMC = RLSettings(
    discount=0.99, replay=1_000_000, hindsight_goals=0, warm_up_episodes=1,
    checkpoint_every=20_000,
)  # fmt: skip
_PPO = RLSettings(
    learning_rate=3e-4, batch=400, hindsight_goals=0, leg_episodes=2, save_every=16_000,
    checkpoint_every=80_000,
)  # fmt: skip
_ALL = (
    Algorithm("sac", "soft actor-critic with hindsight goals", "SAC", 30_400, _GOAL),
    Algorithm("td3", "TD3 with hindsight goals", "TD3", 30_400, _GOAL),
    Algorithm("ppo", "PPO on goals, its reward shaped", "PPO", 1_000_000, _PPO),
    Algorithm("sac-dmc", "soft actor-critic on dm_control's reward", "SAC", 300_000, _DMC, True),
    Algorithm("td3-dmc", "TD3 on dm_control's reward", "TD3", 300_000, _DMC, True),
)
ALGORITHMS: Mapping[str, Algorithm] = MappingProxyType({a.name: a for a in _ALL})
