"""The commands that do what ``demo`` did, a stage each, as lines for a shell."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.commands.demo import Demo


def collect_command(demo: Demo) -> str:
    """Records the rollouts."""
    return _command(
        "collect", world=demo.world, out=demo.data, episodes=demo.rollouts,
        behaviour=demo.behaviour_name, seed=demo.seed,
    )  # fmt: skip


def train_command(demo: Demo) -> str:
    """Trains the world model."""
    return _command(
        "train", data=demo.data, out=demo.world_model, preset=demo.preset, seed=demo.seed,
        steps=demo.training_steps(),
    )  # fmt: skip


def live_command(demo: Demo) -> str:
    """Opens the live page on what was made."""
    return _command(
        "live", checkpoint=demo.world_model, data=demo.data,
        beside=demo.sac if demo.has_rival else None,
    )  # fmt: skip


def measuring_command(demo: Demo) -> str:
    """Trains the rival where there is one, and measures all."""
    evaluating = "python run_agent.py evaluate (each below)"
    return f"{sac_command(demo)}; {evaluating}" if demo.has_rival else evaluating


def sac_command(demo: Demo) -> str:
    """Trains the rival."""
    return _command(
        "baseline", world=demo.world, out=demo.sac, seed=demo.seed,
        env_steps=demo.sac_steps or None,
    )  # fmt: skip


def _command(name: str, **flags: object) -> str:
    """A line for a shell; a flag that is None is left out."""
    given = [(f"--{flag.replace('_', '-')}", str(x)) for flag, x in flags.items() if x is not None]
    return shlex.join(["python", "run_agent.py", name, *(word for pair in given for word in pair)])
