"""``collect``: record rollouts of the arm."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import arg


@dataclass(frozen=True)
class Collect:
    """Record rollouts of the arm: frames seen from above, torques, joint angles.

    The arm is moved at random, from random poses. Rollouts are written in checked files, one
    after the other; an interrupted collection continues when the same command is run again,
    and asking for more episodes later extends the data set. The same seed gives the same bytes,
    whatever the number of workers. For a learning curve over experience: 50, 150, 500 and 1500
    episodes are 10k, 30k, 100k and 300k env steps, of which train holds back a twentieth.

    Examples:
      python run_agent.py collect --out data/reacher
      python run_agent.py collect --out data/lewm --behaviour uniform --episodes 1000
    """

    out: Annotated[Path, arg(metavar="DIR")]
    """Directory of the data set; made if missing, continued if interrupted before."""
    episodes: int = 400
    """How many episodes in all."""
    episode_steps: int = 200
    """Length of an episode in env steps of 0.04 s."""
    behaviour: Literal["ou", "swift", "uniform", "gaussian"] = "ou"
    """How the arm is moved: ou, torques that drift; swift, strong ones that do; uniform, each
    torque drawn anew; gaussian, the joint angles kept a stationary Gaussian process."""
    workers: int = field(default_factory=lambda: os.cpu_count() or 1)
    """Processes at work. Changes the time it takes, never the data."""
    seed: int = 0
    """Everything random follows from it."""
    render_profile: Literal["fast", "dmc"] = "fast"
    """How frames are drawn: fast, without shadows; dmc, as dm_control does (20 times slower)."""
    image_size: int = 64
    """Side of a frame in pixels."""
    episodes_per_shard: int = 10
    """Episodes in one file, which is what a crash can cost."""

    @property
    def after_interrupt(self) -> str:
        """What Ctrl-C leaves behind."""
        return f"Every finished file in {self.out} is kept; run the same command again to continue."

    def run(self) -> None:
        """Collect what is missing, and say what there is."""
        from agent.commands.console import say
        from agent.commands.progress import duration, progress
        from agent.data import CollectConfig, collect

        start_s = time.monotonic()
        config = CollectConfig(**vars(self))
        with progress("collecting episodes") as update:
            store = collect(config, update)
        say(
            f"{self.out}: {store.episode_count} episodes, {store.row_count} frames, "
            f"{sum(record.size_bytes for record in store.records) / 1e6:.0f} MB "
            f"(took {duration(time.monotonic() - start_s)})"
        )
        say(f"next: python run_agent.py train --data {self.out} --out runs/{self.out.name}")
