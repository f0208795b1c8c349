"""The reinforcement learning a user can ask for by name, and its settings; no RL library here.

``sac``, ``td3`` and ``ppo`` learn the goal task: any pose to any pose, every second start in
motion as ``lewm`` has it, reward 0 inside the tolerance of the evaluation and −1 outside. The
first two relabel goals in hindsight (Andrychowicz et al. 2017, arXiv:1707.01495). PPO keeps no
past to relabel and would hardly ever see the sparse reward, so its own is shaped: minus the mean
joint error over π is added. ``sac-dmc`` and ``td3-dmc`` learn dm_control's own reward.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from agent.errors import UserError
from envs import DMC_IDS, REACH_M, STATE_GOAL_ID

DMC_TASKS = tuple(REACH_M)


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
    """Of TD3's torques, standard deviation."""
    warm_up_episodes: int = 2
    """Episodes of random torques in each environment before learning."""
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

    def environment_id(self, task: str | None) -> str:
        """The gymnasium id it learns in.

        Raises:
            UserError: if ``task`` is missing, unknown, or given to one that has none.
        """
        if not self.on_dmc_reward:
            if task is not None:
                raise UserError(f"{self.name} learns to reach goal poses: leave --task away")
            return STATE_GOAL_ID
        if task not in DMC_IDS:
            raise UserError(f"expected --task of {', '.join(DMC_IDS)} for {self.name}, got {task}")
        return DMC_IDS[task]


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
