"""Training a rival as a job beside measurements: it takes one core, and they take the others."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.commands.progress import Update


@dataclass(frozen=True)
class RivalJob:
    """SAC in ``out``, begun or gone on with; a ``Job`` of ``agent.commands.measuring``.

    ``episodes`` is what it counts for in the progress of all. ``env_steps`` None is its own number.
    """

    out: Path
    world: str
    env_steps: int | None
    seed: int
    episodes: int

    def run(self, update: Update) -> dict[str, Any]:
        """Train to the end; nothing came of it but what is in ``out``."""
        from agent.files.bundle import STATE, has_bundle
        from agent.rivals.reinforcement import Training

        training = Training(
            self.out, "sac", None, self.env_steps, self.seed, None,
            resume=has_bundle(self.out / STATE), world=self.world,
        )  # fmt: skip
        for now in training.run():
            update(now.env_steps * self.episodes // now.total_env_steps, self.episodes)
        return {}
